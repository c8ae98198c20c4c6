"""Each query of the booking service uses the index made for it, on a table with rows enough to tell."""

import uuid
from datetime import UTC, datetime
from typing import Any

import psycopg
from booking_service import postgres as queries


def fill(sql: psycopg.Connection) -> None:
    sql.execute(
        "INSERT INTO bookings (id, user_id, event_id, ticket_count, idempotency_key, created_at)"
        " SELECT gen_random_uuid(), 'user-' || n % 100, 'concert', 1, 'key-' || n, now() - n * interval '1 second'"
        " FROM generate_series(1, 20000) AS n"
    )
    sql.execute("ANALYZE bookings")


SOME_ID = uuid.UUID(int=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PLANS: dict[str, tuple[list[Any], str]] = {
    "BY_ID": ([SOME_ID], "bookings_pkey"),
    "BY_KEY": (["user-7", "key-7"], "bookings_one_per_key"),
    "OF_USER": (["user-7", 50], "bookings_newest_of_user"),
    "OF_USER_AFTER": (["user-7", LONG_AGO, SOME_ID, 50], "bookings_newest_of_user"),
    "MOVE": (["CONFIRMED", "", SOME_ID, ["PENDING"]], "bookings_pkey"),
}


def plan(sql: psycopg.Connection, query: str, values: list[Any]) -> list[dict[str, Any]]:
    """All steps of the plan of a query."""
    row = sql.execute(f"EXPLAIN (FORMAT JSON) {query}", values).fetchone()
    assert row is not None

    def steps(step: dict[str, Any]) -> list[dict[str, Any]]:
        return [step, *(deeper for inner in step.get("Plans", []) for deeper in steps(inner))]

    return steps(row[0][0]["Plan"])


def test_each_query_uses_its_index_and_no_list_is_sorted(sql: psycopg.Connection) -> None:
    fill(sql)
    for name, (values, index) in PLANS.items():
        steps = plan(sql, getattr(queries, name), values)
        kinds = {step["Node Type"] for step in steps}
        assert index in {step.get("Index Name") for step in steps}, f"{name}: {steps}"
        assert not kinds & {"Seq Scan", "Sort", "Incremental Sort"}, f"{name}: {kinds}"


def test_a_group_of_confirmations_finds_each_by_its_id(sql: psycopg.Connection) -> None:
    fill(sql)
    ids = [row[0] for row in sql.execute("SELECT id FROM bookings LIMIT 64")]
    for mode in ("force_custom_plan", "force_generic_plan"):
        sql.execute(f"SET plan_cache_mode = {mode}")
        steps = plan(sql, queries.for_many(queries.MOVE), ["CONFIRMED", "", ids, ["PENDING"]])
        assert "Seq Scan" not in {step["Node Type"] for step in steps}, steps


def test_without_its_index_a_list_reads_and_sorts_the_table(sql: psycopg.Connection) -> None:
    """The test above can fail."""
    fill(sql)
    with sql.transaction(force_rollback=True):
        sql.execute("DROP INDEX bookings_newest_of_user, bookings_one_per_key")
        kinds = {step["Node Type"] for step in plan(sql, queries.OF_USER, ["user-7", 50])}
    assert kinds >= {"Seq Scan", "Sort"}
