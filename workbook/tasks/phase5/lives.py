"""Lives of a pod, second by second: what happens to it, and what a kubelet with these probes makes of that."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from workbook.props.probes import Container, Probe, Probes, pause_before

SERVICE = "booking.BookingService"
PORT = 50051
NEVER = (math.inf, math.inf)

Span = tuple[float, float]  # from a second to a second


@dataclass(frozen=True, slots=True)
class Life:
    """What happens, in seconds. A process that `hangs` is cured by a restart; the database is cured by nobody here."""

    what: str
    lasts: float
    listens_after: float = 2  # its start
    database_away: Span = NEVER
    hangs: Span = NEVER
    slow: Span = NEVER
    answers_in: float = 0.01
    when_slow: float = 2


@dataclass(slots=True)
class Told:
    """When it was started again, when a call was sent to it in vain, and when it could work and got none."""

    restarts: list[float] = field(default_factory=list)
    in_vain: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


class Process:
    """The booking service as its chassis makes it: "" is SERVING once it has been able to work, the service while."""

    def __init__(self, life: Life, began: float) -> None:
        self._life = life
        self._began = began
        self._once_ready = False

    def works(self, now: float) -> bool:
        listens = now >= self._began + self._life.listens_after
        works = listens and not self.hangs(now) and not _during(now, self._life.database_away)
        self._once_ready |= works
        return works

    def hangs(self, now: float) -> bool:
        return _during(now, self._life.hangs) and self._began <= self._life.hangs[0]

    def good(self, probe: Probe, now: float) -> bool:
        """Whether this probe hears SERVING in time."""
        takes = self._life.when_slow if _during(now, self._life.slow) else self._life.answers_in
        told = {SERVICE: self.works(now), "": self._once_ready}
        if now < self._began + self._life.listens_after:
            return False
        if probe.service is None:  # the system opens the line, also to a process that hangs
            return True
        return not self.hangs(now) and takes <= probe.timeout and told.get(probe.service, False)


def lived(probes: Probes, life: Life) -> Told:
    """One caller a second, who calls the pod while it is ready."""
    told = Told()
    process, container, starts_at = Process(life, 0), Container(probes, 0), 0.0
    for now in _seconds(life.lasts):
        if now < starts_at:
            continue
        if _asked(container, process, now):
            told.restarts.append(now)
            starts_at = now + pause_before(len(told.restarts))
            process, container = Process(life, starts_at), Container(probes, starts_at)
            continue
        if container.ready and not process.works(now):
            told.in_vain.append(now)
        if process.works(now) and not container.ready:
            told.idle.append(now)
    return told


def _asked(container: Container, process: Process, now: float) -> bool:
    """Whether one of the probes that are due makes the kubelet start the process again."""
    return any(container.heard(kind, now, good=process.good(probe, now)) for kind, probe in container.due(now))


def _seconds(lasts: float) -> Iterator[float]:
    return (float(second) for second in range(int(lasts)))


def _during(now: float, span: Span) -> bool:
    return span[0] <= now < span[1]
