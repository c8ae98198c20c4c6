"""What people write first for task 2.4, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """
    upsert = (
        "INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())"
        " ON CONFLICT (booking_id) DO UPDATE SET released_at = now() WHERE reservations.released_at IS NULL"
        " RETURNING event_id, ticket_count"
    )
    async with connection.transaction():
        row = await (await connection.execute(upsert, [booking_id])).fetchone()
        if row is None or row[0] is None:
            return False
        await connection.execute("UPDATE events SET available = available + %s WHERE id = %s", [row[1], row[0]])
        return True
"""
_TWICE = _RIGHT.replace(" WHERE reservations.released_at IS NULL", "")
_FORGETS_THE_EVENT = _RIGHT.replace("available = available + %s WHERE", "updated_at = now() WHERE %s > 0 AND")
_EVERYBODYS = _RIGHT.replace("available = available + %s WHERE", "available = capacity WHERE %s > 0 AND")
_ALWAYS_TRUE = _RIGHT.replace("return False", "return True")
_NO_TRANSACTION = _RIGHT.replace("async with connection.transaction():", "if True:")
_DELETES = """
    async with connection.transaction():
        gone = await connection.execute(
            "DELETE FROM reservations WHERE booking_id = %s RETURNING event_id, ticket_count", [booking_id]
        )
        row = await gone.fetchone()
        if row is None:
            return False
        await connection.execute("UPDATE events SET available = available + %s WHERE id = %s", [row[1], row[0]])
        return True
"""
_NO_TOMBSTONE = """
    async with connection.transaction():
        freed = await connection.execute(
            "UPDATE reservations SET released_at = now() WHERE booking_id = %s AND released_at IS NULL"
            " RETURNING event_id, ticket_count",
            [booking_id],
        )
        row = await freed.fetchone()
        if row is None:
            return False
        await connection.execute("UPDATE events SET available = available + %s WHERE id = %s", [row[1], row[0]])
        return True
"""
_TOMBSTONE_AFTERWARDS = _NO_TOMBSTONE.replace(
    """
            return False
""",
    """
            await connection.execute(
                "INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())"
                " ON CONFLICT DO NOTHING",
                [booking_id],
            )
            return False
""",
)
_LOOKS_THEN_ACTS = """
    async with connection.transaction():
        found = await connection.execute(
            "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %s", [booking_id]
        )
        row = await found.fetchone()
        if row is None:
            await connection.execute(
                "INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())"
                " ON CONFLICT DO NOTHING",
                [booking_id],
            )
            return False
        if row[2] is not None:
            return False
        await connection.execute("UPDATE reservations SET released_at = now() WHERE booking_id = %s", [booking_id])
        await connection.execute("UPDATE events SET available = available + %s WHERE id = %s", [row[1], row[0]])
        return True
"""

WRONG = (
    WrongAnswer("gives back twice", code=_TWICE, says="a second release of the same booking: 12 of 10 are left"),
    WrongAnswer("deletes the row", code=_DELETES, says="the reservation's row is gone"),
    WrongAnswer("forgets the event's number", code=_FORGETS_THE_EVENT, says="8 are left, 10 is right"),
    WrongAnswer("gives back everybody's", code=_EVERYBODYS, says="all 10 are left, 7 is right"),
    WrongAnswer("says True always", code=_ALWAYS_TRUE, says="a second release gave nothing back and says True"),
    WrongAnswer("no tombstone", code=_NO_TOMBSTONE, says="a release that comes before its reserve leaves no row"),
    WrongAnswer(
        "two steps, no transaction", code=_NO_TRANSACTION, says="8 of 10 are left, and the reservation of 2 is over"
    ),
    WrongAnswer("looks, then acts", code=_LOOKS_THEN_ACTS, says="told [True, True], 12 of 10 left"),
    WrongAnswer("a tombstone afterwards", code=_TOMBSTONE_AFTERWARDS, says="while its reserve was about to commit"),
)
