"""A sale that is interrupted: who sells how fast, and what is sold twice, lost, or refused although it was there.

Each seller does the same job in the same two databases, PENDING, then tickets, then CONFIRMED, in a process of its own
and without gRPC. That process is killed when half of the buyers have an answer, and started again; the others try
again.
"""

import importlib.util
import inspect
import pkgutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from bench.contender import ContenderFailed
from bench.lines import lines_of
from bench.tables import LOTS, booking_settings, event_settings, put_events, tickets_of
from workbook.postgres import connect
from workbook.stack import LocalStack

CAPACITY = 600
BUYERS = 400  # who want 1, 2 or 3 tickets each, a third more than there are
_OURS = (  # the modules that do what the others do, with recovery
    "booking_service.service",
    "booking_service.postgres",
    "booking_saga.recovery",
    "event_service.reservations",
    "event_service.ledger",
    "chassis.grouping",
)
SELLERS: Mapping[str, tuple[str, tuple[str, ...]]] = {  # by name: the seller, and its code
    "ours": ("bench.sellers:ours", _OURS),
    "check, then act": ("bench.sellers:check_then_act", ("bench.sellers:check_then_act",)),
    "compare and swap": ("bench.sellers:compare_and_swap", ("bench.sellers:compare_and_swap",)),
    "DBOS": ("bench.dbos_seller:durable_workflow", ("bench.dbos_seller",)),
}
SOLD = "SELECT coalesce(sum(ticket_count), 0) FROM bookings WHERE event_id = %s AND status = 'CONFIRMED'"
UNFINISHED = "SELECT count(*) FROM bookings WHERE event_id = %s AND status = 'PENDING'"
NEEDS_DBOS = "needs dbos: uv pip install --python .venv/bin/python dbos"


@dataclass(frozen=True, slots=True)
class Sale:
    """What came of a sale: tickets `oversold` beyond the capacity; `leaked`, that is taken and held by no booking.

    `rate` is confirmed bookings a second until the kill. `unfinished` are bookings that are PENDING in the end.
    `refused_early` are buyers who were told no while enough tickets for them were left in the end. `lines` of code.
    """

    name: str
    rate: float
    confirmed: int
    oversold: int
    leaked: int
    unfinished: int
    refused_early: int
    lines: int


def sales(stack: LocalStack, in_flight: int, progress: Callable[[str], None]) -> list[Sale]:
    """The sales of all sellers that can be run here; the services are stopped, for their recovery must not help."""
    for service in ("booking-service", "event-service"):
        stack[service].stop()
    address = stack["postgres"].address
    with connect(address, event_settings(address).db_name) as events:
        events.execute("ALTER TABLE events ADD COLUMN version integer NOT NULL DEFAULT 0")  # to compare and swap
    held: list[Sale] = []
    for number, name in enumerate(SELLERS, LOTS):
        if name == "DBOS" and importlib.util.find_spec("dbos") is None:
            progress(f"○ {name} not run ({NEEDS_DBOS})")
            continue
        held.append(hold(name, address, number, in_flight))
        progress(f"sale: {name} {held[-1].rate:,.0f}/s")
    return held


def hold(name: str, address: str, number: int, in_flight: int) -> Sale:
    """The sale of one seller, of an event of its own: the one with this number."""
    seller, code = SELLERS[name]
    event = str(uuid.UUID(int=number))
    with (
        connect(address, event_settings(address).db_name) as events,
        connect(address, booking_settings(address).db_name) as bookings,
    ):
        put_events(events, number, first=number, available=CAPACITY)
        answers: dict[int, bool] = {}
        until_killed = _sell(seller, address, event, in_flight, answers, enough=BUYERS // 2)
        rate = sum(answers.values()) / until_killed
        _sell(seller, address, event, in_flight, answers, enough=None)
        left = _one(events, "SELECT available FROM events WHERE id = %s", event)
        sold = _one(bookings, SOLD, event)
        unfinished = _one(bookings, UNFINISHED, event)
    return Sale(
        name=name,
        rate=rate,
        confirmed=sum(answers.values()),
        oversold=max(0, sold - CAPACITY),
        leaked=max(0, CAPACITY - left - sold),
        unfinished=unfinished,
        refused_early=sum(tickets_of(buyer) <= left for buyer, yes in answers.items() if not yes),
        lines=sum(lines_of(inspect.getsource(pkgutil.resolve_name(each))) for each in code),
    )


def _sell(
    seller: str, address: str, event: str, in_flight: int, answers: dict[int, bool], *, enough: int | None
) -> float:
    """Lets the seller sell to all who have no answer, or until `enough` have one: then it is killed.

    Returns the seconds that it sold.
    """
    selling = [sys.executable, "-m", "bench.selling", seller, address, event, str(in_flight)]
    with subprocess.Popen(selling, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(" ".join(str(buyer) for buyer in range(BUYERS) if buyer not in answers))
        process.stdin.close()
        began = time.perf_counter()
        for line in process.stdout:
            if line == "ready\n":
                began = time.perf_counter()
                continue
            buyer, answer = line.split()
            answers[int(buyer)] = answer == "yes"
            if len(answers) == enough:
                process.kill()
                break
        took = time.perf_counter() - began
    if process.returncode != (0 if enough is None else -signal.SIGKILL):
        raise ContenderFailed(f"{seller} ended with {process.returncode}")
    return took


def _one(database: psycopg.Connection, query: LiteralString, event: str) -> int:
    ((value,),) = database.execute(query, [event]).fetchall()
    return int(value)
