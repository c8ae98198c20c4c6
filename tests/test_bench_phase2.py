"""Phase 2's benchmark: what its instruments count is what happened. No speed is asserted."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bench import phase2, sale
from bench.contender import AtOnce, Calls, ContenderFailed
from bench.lines import lines_of
from bench.pgbench import Pgbench, with_named_variables
from bench.run import main
from bench.tables import put_events
from tests.test_bench import Scripted
from workbook.postgres import connect
from workbook.stack import LocalStack

SOURCE = '''
"""What it is."""

# why
def double(number: int) -> int:
    """What it does,
    in two lines."""
    text = """kept,
    this one"""

    return 2 * number  # not that hard
'''


def test_lines_of_code_are_those_that_do_something() -> None:
    assert lines_of(SOURCE) == 4


def test_each_named_parameter_becomes_its_value() -> None:
    assert with_named_variables("\nSELECT %(one)s, %(two)s, %(one)s\n", one=":x", two="'y'") == "SELECT :x, 'y', :x"


def test_a_contender_may_have_a_concurrency_of_its_own() -> None:
    assert len(AtOnce("eight", Scripted("", []), 8).run(1, 32).latencies) == 8


# Everything, for real


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(2) as stack:
        yield stack


@pytest.fixture
def events(stack: LocalStack) -> Iterator[psycopg.Connection]:
    with connect(stack["postgres"].address, "event_db") as connection:
        connection.execute("TRUNCATE events, reservations")
        put_events(connection, phase2.MANY)
        yield connection


@pytest.fixture
def bookings(stack: LocalStack) -> Iterator[psycopg.Connection]:
    with connect(stack["postgres"].address, "booking_db") as connection:
        connection.execute("TRUNCATE bookings")
        yield connection


def count(database: psycopg.Connection, query: str) -> int:
    row = database.execute(query).fetchone()  # type: ignore[call-overload]  # mypy wants a literal
    return int(row[0])


def sold(events: psycopg.Connection) -> dict[int, int]:
    """Tickets sold by number of event."""
    rows = events.execute("SELECT id, capacity - available FROM events WHERE available < capacity").fetchall()
    return {event_id.int: tickets for event_id, tickets in rows}


CONFIRMED = "SELECT count(*) FROM bookings WHERE status = 'CONFIRMED'"
RESERVED = "SELECT count(*) FROM reservations WHERE released_at IS NULL"


@pytest.mark.parametrize(("load", "of_one"), [("hot", True), ("many", False)])
def test_every_booking_that_is_counted_is_one(
    stack: LocalStack, events: psycopg.Connection, bookings: psycopg.Connection, load: str, *, of_one: bool
) -> None:
    measured = Calls(load, f"bench.phase2:{load}", stack["booking-service"].address).run(0.3, 4)
    assert count(bookings, CONFIRMED) == count(events, RESERVED) == measured.calls
    assert sum(sold(events).values()) == phase2.TICKETS * measured.calls
    assert (len(sold(events)) == 1) is of_one


def test_a_first_try_that_is_refused_ends_the_run(stack: LocalStack, events: psycopg.Connection) -> None:
    events.execute("UPDATE events SET available = 1 WHERE id = %s", [f"{phase2.HOT:032x}"])
    with pytest.raises(ContenderFailed, match="1 ticket is left"):
        Calls("hot", "bench.phase2:hot", stack["booking-service"].address).run(0.2, 2)


def test_in_process_too_each_counts(stack: LocalStack, events: psycopg.Connection) -> None:
    address = stack["postgres"].address
    measured = Calls("reserve", "bench.phase2:reserve", address).run(0.2, 4)
    assert sold(events) == {phase2.HOT: phase2.TICKETS * measured.calls}
    put_events(events, phase2.GONE, first=phase2.GONE, available=0)
    before = count(events, RESERVED)
    assert Calls("sold out", "bench.phase2:sold_out", address).run(0.2, 4).calls
    assert count(events, RESERVED) == before
    events.execute("UPDATE events SET capacity = 9, available = 9 WHERE id = %s", [f"{phase2.GONE:032x}"])
    with pytest.raises(ContenderFailed, match="a sold-out event sold tickets"):
        Calls("sold out", "bench.phase2:sold_out", address).run(0.2, 4)


def test_every_transaction_of_pgbench_is_a_whole_booking(stack: LocalStack) -> None:
    with phase2._both_in_one(stack) as postgres:
        put_events(postgres, phase2.MANY)
        measured = Pgbench("bookings", phase2.BOOKING_SCRIPT, postgres).run(1, 2)
        assert count(postgres, CONFIRMED) == count(postgres, RESERVED) == measured.calls
        alone = Pgbench("reserve", phase2.RESERVE_SCRIPT, postgres).run(1, 2)
        assert count(postgres, RESERVED) == measured.calls + alone.calls
        assert sum(sold(postgres).values()) == phase2.TICKETS * (measured.calls + alone.calls)


def test_a_sale_tells_who_keeps_the_promise(stack: LocalStack, events: psycopg.Connection) -> None:
    events.execute("ALTER TABLE events ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 0")
    address = stack["postgres"].address
    ours, unchecked = (sale.hold(name, address, 2_000_000 + n, 32) for n, name in enumerate(list(sale.SELLERS)[:2]))
    assert (ours.oversold, ours.leaked, ours.unfinished, ours.refused_early) == (0, 0, 0, 0)
    assert ours.confirmed == sale.CAPACITY // 2
    assert unchecked.oversold > 0
    assert unchecked.unfinished > 0
    assert 0 < unchecked.lines < 30 < ours.lines


@pytest.mark.timeout(400)  # it starts some thirty processes, which takes a busy machine its time
def test_a_short_run_measures_everything_and_writes_it_down(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.run.ROUNDS", 2)
    monkeypatch.setattr(sale, "BUYERS", 40)
    monkeypatch.setattr(sale, "CAPACITY", 60)
    assert main(2, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase2.json").read_text())
    assert set(written["ratios"]) == {pair.name for pair in phase2.RATIOS}
    assert all(found["rate"] > 0 for found in written["summaries"].values())
    there = importlib.util.find_spec("dbos") is not None
    assert [held["name"] for held in written["sales"]] == list(sale.SELLERS)[: 4 if there else 3]
    assert (tmp_path / "phase2.png").read_bytes().startswith(b"\x89PNG")
    told = capsys.readouterr()
    assert "bookings ÷ pgbench bookings" in told.out
    assert ("DBOS not run (needs dbos: " in told.err) is not there
