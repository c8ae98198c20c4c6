"""Finding events among a hundred thousand: every filter reads an index, and the index finds what it should."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from chassis.paging import Position
from event_service import reservations
from event_service.domain import NewEvent
from event_service.postgres import PostgresEvents, nearby_query, page_query
from event_service.repository import Filter

START = datetime(2099, 1, 1, 20, tzinfo=UTC)
WEEK = timedelta(days=7)

# One venue in a hundred has a name of its own; nine events of ten are concerts, one of ten is sold out.
MANY = """
INSERT INTO events (id, name, kind, starts_at, time_zone, venue, capacity, available)
SELECT gen_random_uuid(), 'n', CASE number % 10 WHEN 3 THEN 'match' ELSE 'concert' END,
    timestamptz '2099-01-01 20:00Z' + number * interval '1 minute', 'UTC',
    CASE number % 100 WHEN 0 THEN 'Babylon ' || number ELSE 'v' END, 10, CASE number % 10 WHEN 7 THEN 0 ELSE 10 END
FROM generate_series(0, 99999) AS number
"""
IN_THE_MIDDLE = Position(START + timedelta(minutes=50_000), uuid.UUID(int=0))

BY_DATE, BY_KIND, BY_VENUE = "events_by_date", "events_by_kind_and_date", "events_by_venue"
PLANS: Sequence[tuple[Filter, Position | None, str]] = [
    (Filter(), None, BY_DATE),
    (Filter(), IN_THE_MIDDLE, BY_DATE),
    (Filter(kind="match"), IN_THE_MIDDLE, BY_KIND),
    (Filter(starts_from=START + WEEK, starts_before=START + 2 * WEEK), None, BY_DATE),
    (Filter(only_available=True), IN_THE_MIDDLE, BY_DATE),
    (Filter(kind="match", starts_from=START + WEEK, only_available=True), None, BY_KIND),
    (Filter(venue="v"), IN_THE_MIDDLE, BY_DATE),  # nearly all of them: walking along the dates finds a page at once
    (Filter(venue="LON 77"), None, BY_VENUE),
    (Filter(venue="nowhere"), IN_THE_MIDDLE, BY_VENUE),
    (Filter("match", START, START + WEEK, "nowhere", only_available=True), None, BY_VENUE),
]


async def venues(events: PostgresEvents, text: str) -> list[str]:
    found = await events.page(Filter(venue=text), 51)
    assert found == sorted(found, key=lambda event: (event.starts_at, event.id))
    return [event.venue for event in found]


async def test_every_filter_reads_an_index(events: PostgresEvents, event_sql: psycopg.Connection) -> None:
    event_sql.execute(MANY)
    event_sql.execute("VACUUM ANALYZE events")
    for wanted, after, index in PLANS:
        query, values = page_query(wanted, 51, after)
        told = "\n".join(line for (line,) in event_sql.execute(f"EXPLAIN {query}", values))
        assert index in told, f"{wanted}:\n{told}"
        assert "Seq Scan" not in told, f"{wanted}:\n{told}"
        assert ("Sort" in told) is (index == BY_VENUE), f"{wanted}:\n{told}"
    query, values = nearby_query(Filter(venue="BYL"), 51, IN_THE_MIDDLE)
    told = "\n".join(line for (line,) in event_sql.execute(f"EXPLAIN {query}", values))
    assert BY_DATE in told
    assert "Sort" not in told
    assert await venues(events, "LON 77") == [f"Babylon {number}" for number in (7700, *range(77000, 78000, 100))][:11]
    assert await venues(events, "Baby") == [f"Babylon {100 * number}" for number in range(51)]  # not all of them nearby
    assert await venues(events, "V") == ["v"] * 51


async def test_without_its_index_a_venue_is_looked_for_everywhere(
    events: PostgresEvents, event_sql: psycopg.Connection
) -> None:
    """The negative control of the plans above."""
    del events
    with event_sql.transaction(force_rollback=True):
        event_sql.execute("DROP INDEX events_by_venue, events_by_date")
        event_sql.execute(MANY.replace("99999", "999"))
        query, values = page_query(Filter(venue="nowhere"), 51, None)
        assert "Seq Scan" in "\n".join(line for (line,) in event_sql.execute(f"EXPLAIN {query}", values))


# ruff: noqa: RUF001 - Turkish letters, of two of which lower case makes something else
VENUES = ["Çarşı Sahnesi", "ÇARŞI", "Işık Tiyatrosu", "İş Sanat", "iş sanat", "a", "50% Off_Stage", "aa a", "Straße 1"]
TEXTS = ["ç", "çarşı", "ÇARŞI", "ışık", "İŞ", "iş s", "a", "A ", "0% o", "f_s", "\\", "aaa", "SSE", "straße 1", "x"]


@pytest.mark.parametrize("text", TEXTS)
async def test_the_index_finds_what_comparing_finds(
    events: PostgresEvents, event_sql: psycopg.Connection, text: str
) -> None:
    for venue in VENUES:
        await events.create(NewEvent("Jazz", "concert", START, "UTC", venue, 10))
    compared = "SELECT venue FROM events WHERE position(lower(%s) IN lower(venue)) > 0"
    wanted = {venue for (venue,) in event_sql.execute(compared, [text])}
    with event_sql.transaction():
        event_sql.execute("SET LOCAL enable_seqscan = off")
        event_sql.execute("SET LOCAL enable_indexscan = off")
        query, values = page_query(Filter(venue=text), 51, None)
        assert "events_by_venue" in "".join(line for (line,) in event_sql.execute(f"EXPLAIN {query}", values))
        found = {row[5] for row in event_sql.execute(query, values)}
    assert found == wanted == {event.venue for event in await events.page(Filter(venue=text), 51)}


async def test_a_reservation_touches_no_index_of_its_event(
    events: PostgresEvents, event_sql: psycopg.Connection
) -> None:
    """Or every ticket sold of a hot event would be written to each of them."""
    event = await events.create(NewEvent("Jazz", "concert", START, "UTC", "Babylon", 10))
    with event_sql.transaction():
        event_sql.execute(reservations.RESERVE, {"booking": uuid.uuid4(), "event": event.id, "count": 1})
        (updated,) = (
            event_sql.execute("SELECT pg_stat_get_xact_tuples_hot_updated('events'::regclass)").fetchone() or ()
        )
    assert updated == 1
