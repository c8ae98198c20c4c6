"""What a seed stands for: the faults of a run, and what each client wants to do, one wish after the other."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

PARTS = ("postgres", "event-service", "booking-service")
TELLING = ("kafka", "metrics-consumer")  # from phase 3 on
CLIENTS = 12
EVENTS = 4
CAPACITY = 100
_FAULTS = {"kill": (0.1, 2.0), "pause": (0.2, 3.0), "restart": (0.0, 0.0)}  # how long, in seconds
_PAUSE = (3.0, 10.0)  # seconds in which a part is left alone
_PAUSES = {"kafka": (15.0, 30.0)}  # it takes up to ten seconds to come back, and so do its groups
_WISHES = {"book": 45, "cancel": 30, "read": 15, "look": 5, "add": 5}


@dataclass(frozen=True, slots=True)
class Fault:
    """`at` and `seconds` count from the start of the run; a restart lasts as long as it lasts."""

    at: float
    part: str
    kind: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants. It tries at most `tries` times, then it gives up and does not know what came of it.

    `which` (0 to 1) chooses among the client's own bookings; `change` is tickets to add, or to withdraw.
    """

    kind: str
    key: str
    event: int
    tickets: int
    change: int
    tries: int
    which: float


def faults_of(seed: int, seconds: float, parts: Sequence[str] = PARTS) -> list[Fault]:
    """The faults of a run of so many seconds, in order of time; none begins when another of its part is under way.

    A part has the same faults whichever others are there.
    """
    return sorted((fault for part in parts for fault in _faults_of(seed, part, seconds)), key=lambda fault: fault.at)


def wishes_of(seed: int, client: int) -> Iterator[Wish]:
    """What this client wants, without end."""
    chance = Random(f"{seed}/client {client}")  # noqa: S311 - it must be the same again, not secret
    for turn in itertools.count():
        (kind,) = chance.choices(list(_WISHES), list(_WISHES.values()))
        yield Wish(
            kind,
            key=f"{client}-{turn}",
            event=chance.randrange(EVENTS),
            tickets=chance.randint(1, 4),
            change=chance.choice((-2, -1, 1, 2, 3)),
            tries=chance.choice((1, 2, 5, 20, 20)),
            which=chance.random(),
        )


def _faults_of(seed: int, part: str, seconds: float) -> Iterator[Fault]:
    chance = Random(f"{seed}/{part}")  # noqa: S311 - it must be the same again, not secret
    now = chance.uniform(0.5, 4)
    while now < seconds:
        kind = chance.choice(list(_FAULTS))
        fault = Fault(round(now, 2), part, kind, round(chance.uniform(*_FAULTS[kind]), 2))
        yield fault
        now += fault.seconds + chance.uniform(*_PAUSES.get(part, _PAUSE))
