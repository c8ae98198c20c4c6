"""Kubernetes' HorizontalPodAutoscaler without a cluster: its loop, its limits of speed, and pods that need a while.

What it decides by, `recommended` and `desired`, is given; task 5.3 is to write them. The numbers of the loop are
Kubernetes' own, or stand in this repository's manifests.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from workbook.phases import ROOT

ROUND = 15  # seconds between two decisions
FULL = 400  # percent of its request, 250m, that one process can use at most: a whole CPU
_BASE = ROOT / "phase5-k8s/k8s/base"

Recommended = Callable[[int, list[float], float], int]
Desired = Callable[[int, list[int], int, int], int]


@dataclass(frozen=True, slots=True)
class Scaler:
    """The numbers of one HorizontalPodAutoscaler, in pods, percent and seconds."""

    least: int
    most: int
    target: float
    window: float
    up: tuple[Mapping[str, Any], ...]
    down: tuple[Mapping[str, Any], ...]


@dataclass(slots=True)
class History:
    """Second by second: what is asked of all pods, in percent of one request, and how many there are and are ready."""

    demand: list[float] = field(default_factory=list)
    pods: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)

    @property
    def overloaded(self) -> int:
        """Seconds in which the ready pods could not do what was asked of them, however hard they worked."""
        return sum(asked > FULL * ready for asked, ready in zip(self.demand, self.ready, strict=True))

    @property
    def taken_away(self) -> int:
        """How often a pod was."""
        return sum(max(0, before - after) for before, after in zip(self.pods, self.pods[1:], strict=False))


@cache
def bookings_scaler() -> Scaler:
    """That of the booking service, read from its manifests."""
    own = next(one for one in _read("booking-service.yaml") if one["kind"] == "HorizontalPodAutoscaler")["spec"]
    (common,) = (one["spec"] for one in _read("common/scaling.yaml"))
    up, down = (common["behavior"][way] for way in ("scaleUp", "scaleDown"))
    return Scaler(
        least=own["minReplicas"],
        most=own["maxReplicas"],
        target=common["metrics"][0]["resource"]["target"]["averageUtilization"],
        window=down["stabilizationWindowSeconds"],
        up=tuple(up["policies"]),
        down=tuple(down["policies"]),
    )


def scaled(
    demand: list[float], scaler: Scaler, recommended: Recommended, desired: Desired, start: float = 30
) -> History:
    """The pods under this demand, a number a second; each is ready `start` seconds after it was asked for."""
    history = History()
    ready_at = [0.0] * scaler.least
    lately: list[tuple[float, int]] = []
    for now, asked in enumerate(demand):
        ready = sum(at <= now for at in ready_at)
        if now % ROUND == 0:
            used = [min(asked / ready, FULL)] * ready
            lately = [(at, wish) for at, wish in lately if now - at < scaler.window]
            lately.append((now, recommended(len(ready_at), used, scaler.target)))
            wanted = desired(len(ready_at), [wish for _, wish in lately], scaler.least, scaler.most)
            wanted = within_speed(wanted, [*history.pods, len(ready_at)], scaler)
            ready_at = [*ready_at[:wanted], *[now + start] * (wanted - len(ready_at))]
        history.demand.append(asked)
        history.pods.append(len(ready_at))
        history.ready.append(sum(at <= now for at in ready_at))
    return history


def within_speed(wanted: int, pods: list[int], scaler: Scaler) -> int:
    """As near to what is wanted as the policies let it come at once; `pods` are those of each second until now."""
    if wanted > pods[-1]:
        return min(wanted, max(_reach(pods, scaler.up, grows=True)))
    if wanted < pods[-1]:
        return max(wanted, min(_reach(pods, scaler.down, grows=False)))
    return wanted


def _reach(pods: list[int], policies: tuple[Mapping[str, Any], ...], *, grows: bool) -> Iterator[int]:
    """How far each policy would go from what there was when its period began."""
    for policy in policies:
        began = pods[max(0, len(pods) - 1 - int(policy["periodSeconds"]))]
        step = policy["value"] if policy["type"] == "Pods" else math.ceil(began * policy["value"] / 100)
        yield began + step if grows else began - step


def _read(name: str) -> list[dict[str, Any]]:
    with (_BASE / name).open() as written:
        return [*yaml.safe_load_all(written)]
