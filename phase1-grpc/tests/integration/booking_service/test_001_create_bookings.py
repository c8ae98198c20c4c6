"""The table itself: every rule refuses a row that breaks it, whatever the code above it believes."""

from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg import sql as compose

GOOD: dict[str, Any] = {
    "id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
    "user_id": "ada",
    "event_id": "concert",
    "ticket_count": 2,
    "status": "CONFIRMED",
    "reason": "",
    "idempotency_key": "key",
    "created_at": "2026-11-22 12:00Z",
    "updated_at": "2026-11-22 12:00Z",
}
BAD_NAMES = ["", " ", "ada lovelace", "ada\n", "çağla", "x" * 65, "a\tb", "🎫"]
BAD_KEYS = ["", " ", "a b", "k\n", "ş", "x" * 129]
WRONG: list[tuple[str, Any, type[psycopg.Error]]] = [
    *(("user_id", name, errors.CheckViolation) for name in BAD_NAMES),
    *(("event_id", name, errors.CheckViolation) for name in BAD_NAMES),
    *(("ticket_count", count, errors.CheckViolation) for count in (0, -1, 11, 2**31 - 1, -(2**31))),
    ("ticket_count", 2**31, errors.NumericValueOutOfRange),
    *(("status", status, errors.CheckViolation) for status in ("", "confirmed", "DONE", "PENDING ")),
    ("reason", "why", errors.CheckViolation),  # only a cancelled booking has one
    *(("idempotency_key", key, errors.CheckViolation) for key in BAD_KEYS),
    ("updated_at", "2026-11-22 11:59Z", errors.CheckViolation),
    ("id", "17", errors.InvalidTextRepresentation),
    *((column, None, errors.NotNullViolation) for column in GOOD if column != "idempotency_key"),
]


def insert(connection: psycopg.Connection, **changes: Any) -> None:
    row = {**GOOD, **changes}
    columns = compose.SQL(", ").join(map(compose.Identifier, row))
    values = compose.SQL(", ").join(map(compose.Placeholder, row))
    connection.execute(compose.SQL("INSERT INTO bookings ({}) VALUES ({})").format(columns, values), row)


def test_the_row_that_the_wrong_ones_are_made_of_is_right(sql: psycopg.Connection) -> None:
    insert(sql)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "CANCELLED", "reason": "ş" * 200},
        {"status": "PENDING", "idempotency_key": None},
        {"ticket_count": 1, "user_id": "x" * 64, "event_id": "A1._:@-"},
        {"ticket_count": 10, "idempotency_key": "!~" * 64, "updated_at": "2026-11-23 12:00Z"},
    ],
)
def test_rows_at_the_edges_are_right_too(sql: psycopg.Connection, changes: dict[str, Any]) -> None:
    insert(sql, **changes)


@pytest.mark.parametrize(("column", "value", "error"), WRONG)
def test_a_wrong_row_is_impossible(
    sql: psycopg.Connection, column: str, value: Any, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        insert(sql, **{column: value})


def test_a_reason_is_not_too_long(sql: psycopg.Connection) -> None:
    with pytest.raises(errors.CheckViolation):
        insert(sql, status="CANCELLED", reason="x" * 201)


def test_a_right_row_cannot_become_a_wrong_one(sql: psycopg.Connection) -> None:
    insert(sql)
    with pytest.raises(errors.CheckViolation):
        sql.execute("UPDATE bookings SET ticket_count = ticket_count - 2")
    with pytest.raises(errors.CheckViolation):
        sql.execute("UPDATE bookings SET updated_at = created_at - interval '1 second'")


@pytest.mark.parametrize("same", ["id", "idempotency_key"])
def test_ids_and_keys_are_there_once(sql: psycopg.Connection, same: str) -> None:
    insert(sql)
    others = {"id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d22", "idempotency_key": "other"}
    with pytest.raises(errors.UniqueViolation):
        insert(sql, **{column: value for column, value in others.items() if column != same})


def test_keys_belong_to_users_and_none_is_no_key(sql: psycopg.Connection) -> None:
    insert(sql)
    insert(sql, id="4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d22", user_id="bob")
    for last in (3, 4):
        insert(sql, id=f"4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d2{last}", idempotency_key=None)


def test_what_the_database_fills_in(sql: psycopg.Connection) -> None:
    sql.execute("INSERT INTO bookings (id, user_id, event_id, ticket_count) VALUES (gen_random_uuid(), 'a', 'b', 1)")
    row = sql.execute(
        "SELECT status, reason, idempotency_key, created_at = updated_at, created_at <= now() FROM bookings"
    ).fetchone()
    assert row == ("PENDING", "", None, True, True)
