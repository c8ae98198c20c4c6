"""Pods of a booking service as processes of this machine, replaced in front of people who book."""

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from workbook.part import Part, Program
from workbook.ports import free_port, is_free
from workbook.props.addresses import Addresses
from workbook.props.callers import Callers, Listed
from workbook.props.rollout import Pod, Strategy, roll

TIMES = 10  # as fast as a cluster: what takes 5 seconds there takes half a second here
HEARD = 3 / TIMES  # seconds until the last caller has heard that an address is gone
SLOWEST = 5 / TIMES  # seconds that the slowest booking takes


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is done to a pod, in a cluster's seconds: it waits, gets SIGTERM, and SIGKILL `killed_after` it began."""

    pre_stop: float = 0
    stop_grace: float = 10
    killed_after: float = 30


KILLED = Leaving(killed_after=0)  # as `kubectl delete --force --grace-period=0` does it


class PodProcess:
    """One pod: the program with the chassis' own end, told to stop as a kubelet does it."""

    def __init__(self, folder: Path, how: Leaving) -> None:
        port = free_port()
        self.address, self._how = f"127.0.0.1:{port}", how
        program = Program(
            argv=[sys.executable, "-m", "workbook.props.busy", str(port), str(SLOWEST)],
            ready=lambda: not is_free(port),
            environment={"STOP_GRACE": str(how.stop_grace / TIMES), "LOG_FORMAT": "text"},
            grace=max(0, how.killed_after - how.pre_stop) / TIMES,
        )
        self.part = Part("pod", self.address, program, folder / f"pod-{port}.log")

    async def starts(self) -> None:
        await asyncio.to_thread(self.part.start)

    async def goes(self) -> None:
        if self._how.killed_after == 0:
            return await asyncio.to_thread(self.part.kill)
        await asyncio.sleep(min(self._how.pre_stop, self._how.killed_after) / TIMES)
        return await asyncio.to_thread(self.part.stop)


class Fleet:
    """Two pods, or more, for as long as a block lasts."""

    def __init__(self, replicas: int = 2) -> None:
        self._replicas, self._made = replicas, list[PodProcess]()

    async def __aenter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ticket-pods-")
        return self

    async def __aexit__(self, *_: object) -> None:
        for pod in self._made:
            await asyncio.to_thread(pod.part.stop)
        self._folder.cleanup()

    async def replaced(self, how: Leaving, strategy: Strategy) -> Callers:
        """What people got who booked while every pod was replaced once."""
        addresses = Addresses(HEARD)
        old = [self._pod(how) for _ in range(self._replicas)]
        await asyncio.gather(*(pod.starts() for pod in old))
        for pod in old:
            addresses.joins(pod.address)
        async with Callers(Listed(addresses)) as people:
            await roll(list[Pod](old), lambda: self._pod(how), addresses, strategy)
        return people

    def _pod(self, how: Leaving) -> PodProcess:
        self._made.append(PodProcess(Path(self._folder.name), how))
        return self._made[-1]
