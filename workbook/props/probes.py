"""What a kubelet makes of a container's three probes: when it asks, whom it starts again, who gets calls. Any clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

STARTUP, LIVENESS, READINESS = KINDS = ("startupProbe", "livenessProbe", "readinessProbe")

_FIRST_PAUSE, _LONGEST_PAUSE = 10, 300  # seconds


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe with a manifest's fields, in seconds; `service` is whom gRPC's health check is asked about.

    None for a probe that does not ask: it is content with an open port.
    """

    port: int | str
    service: str | None
    delay: float
    period: float
    timeout: float
    failures: int
    successes: int

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """What a manifest says, and Kubernetes' own values where it says nothing."""
        grpc = written.get("grpc")
        return cls(
            port=(grpc or written["tcpSocket"])["port"],
            service=None if grpc is None else grpc.get("service") or "",
            delay=written.get("initialDelaySeconds", 0),
            period=written.get("periodSeconds", 10),
            timeout=written.get("timeoutSeconds", 1),
            failures=written.get("failureThreshold", 3),
            successes=written.get("successThreshold", 1),
        )


Probes = Mapping[str, Probe]


def probes_of(container: Mapping[str, Any]) -> Probes:
    """Those that a container of a manifest has."""
    return {kind: Probe.read(container[kind]) for kind in KINDS if container.get(kind)}


class Container:
    """What the probes have told of one process since it began. Until it has started, nothing but that is asked."""

    def __init__(self, probes: Probes, began: float) -> None:
        self._probes = probes
        self._next = {kind: began + probe.delay for kind, probe in probes.items()}
        self._in_a_row = dict.fromkeys(probes, 0)  # above 0 good answers, below 0 bad ones
        self.started = STARTUP not in probes
        self.ready = self.started and READINESS not in probes

    def due(self, now: float) -> list[tuple[str, Probe]]:
        """The probes to ask now, by their kinds."""
        kinds = (LIVENESS, READINESS) if self.started else (STARTUP,)
        asked = ((kind, self._probes[kind]) for kind in kinds if kind in self._probes)
        return [(kind, probe) for kind, probe in asked if self._next[kind] <= now]

    def heard(self, kind: str, now: float, *, good: bool) -> bool:
        """Takes an answer, and says whether the process must be started again."""
        probe = self._probes[kind]
        self._next[kind] = now + probe.period
        same = max(self._in_a_row[kind], 0) + 1 if good else min(self._in_a_row[kind], 0) - 1
        self._in_a_row[kind] = same
        if same >= probe.successes:
            self._well(kind)
        return same <= -probe.failures and self._failed(kind)

    def _well(self, kind: str) -> None:
        if kind == STARTUP:
            self.started = True
            self.ready = READINESS not in self._probes
        elif kind == READINESS:
            self.ready = True

    def _failed(self, kind: str) -> bool:
        if kind == READINESS:
            self.ready = False
            return False
        return True


def pause_before(restart: int) -> float:
    """Seconds that a kubelet waits before restart number 1, 2, …: nothing at first, then twice as long each time."""
    return 0 if restart == 1 else min(_FIRST_PAUSE * 2.0 ** (restart - 2), _LONGEST_PAUSE)
