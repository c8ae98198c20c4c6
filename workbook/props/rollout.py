"""A rolling update as the Deployment controller does it: how many pods may be missing, how many more there may be."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from workbook.props.addresses import Addresses

Limit = int | str
"""A number of pods, or a share of them such as "25%"."""


class Pod(Protocol):
    address: str

    async def starts(self) -> None:
        """Returns when it is ready."""
        ...

    async def goes(self) -> None:
        """From the moment it is deleted to the end of its process."""
        ...


class Refused(Exception):
    """What Kubernetes' API does not take; the text says why."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """`spec.strategy.rollingUpdate` of a Deployment; without any it is 25 % and 25 %."""

    max_unavailable: Limit = "25%"
    max_surge: Limit = "25%"

    def least(self, replicas: int) -> int:
        """Pods that are ready at any time. A share is rounded down, so that one pod of one is never missing."""
        return replicas - min(replicas, self._missing(replicas))

    def most(self, replicas: int) -> int:
        """Pods that there are at any time, those that end not counted. A share is rounded up."""
        more = _pods(self.max_surge, replicas, math.ceil)
        if more == 0 == _pods(self.max_unavailable, replicas, math.ceil):
            raise Refused("maxUnavailable may not be 0 when maxSurge is 0: then no pod could go and none could come")
        return replicas + more

    def _missing(self, replicas: int) -> int:
        missing = _pods(self.max_unavailable, replicas, math.floor)
        more = _pods(self.max_surge, replicas, math.ceil)
        return missing if missing or more else 1  # both came to 0 by rounding: one has to go


def _pods(limit: Limit, replicas: int, rounded: Callable[[float], int]) -> int:
    if isinstance(limit, str):
        share = limit.removesuffix("%")
        if share == limit or not share.isdecimal():
            raise Refused(f"{limit!r} is no number of pods and no share such as 25%")
        return rounded(int(share) * replicas / 100)
    if limit < 0:
        raise Refused(f"{limit} pods: must be at least 0")
    return limit


async def roll(old: list[Pod], new: Callable[[], Pod], addresses: Addresses, strategy: Strategy) -> list[Pod]:
    """Replaces all of `old`, and waits until the last of them has ended; returns the new ones."""
    wanted, least, most = len(old), strategy.least(len(old)), strategy.most(len(old))
    left, ready, going = list(old), list[Pod](), list[asyncio.Task[None]]()
    starting = set[asyncio.Task[Pod]]()
    while left or len(ready) < wanted:
        while len(ready) + len(starting) < min(wanted, most - len(left)):
            starting.add(asyncio.create_task(_started(new(), addresses)))
        while left and len(left) + len(ready) > least:
            leaving = left.pop(0)
            addresses.leaves(leaving.address)  # both at the same moment: nobody waits until the list is known
            going.append(asyncio.create_task(leaving.goes()))
        if starting:
            done, starting = await asyncio.wait(starting, return_when=asyncio.FIRST_COMPLETED)
            ready += [each.result() for each in done]
    await asyncio.gather(*going)
    return ready


async def _started(pod: Pod, addresses: Addresses) -> Pod:
    await pod.starts()
    addresses.joins(pod.address)
    return pod
