"""What people write first for task 2.3, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """
    values = {"booking": booking_id, "event": event_id, "count": count}
    insert = "INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%(booking)s, %(event)s, %(count)s)"
    look = "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %(booking)s"
    async with connection.transaction():
        made = await connection.execute(insert + " ON CONFLICT DO NOTHING", values)
        if made.rowcount == 0:
            row = await (await connection.execute(look, values)).fetchone()
            if row[2] is not None:
                return False
            if row[:2] != (event_id, count):
                raise ValueError("another wish")
            return True
        taken = await connection.execute(TAKE_TICKETS, values)
        if taken.rowcount == 1:
            return True
        raise psycopg.Rollback()
    return False
"""
_ROW_STAYS = _RIGHT.replace("raise psycopg.Rollback()", "return False")
_TRUE_AFTER_ROLLBACK = _RIGHT.removesuffix("return False\n") + "return True\n"
_ANY_WISH = _RIGHT.replace("if row[:2] != (event_id, count):", "if False:")
_COMPARES_FIRST = _RIGHT.replace(
    """            if row[2] is not None:
                return False
            if row[:2] != (event_id, count):
                raise ValueError("another wish")
            return True
""",
    """            if row[:2] != (event_id, count):
                raise ValueError("another wish")
            return row[2] is None
""",
)
_ROLLBACK_OF_NOTHING = _RIGHT.replace("async with connection.transaction():", "if True:")
_BEGINS_AGAIN = _RIGHT.replace(
    "DO NOTHING", "(booking_id) DO UPDATE SET released_at = NULL WHERE reservations.released_at IS NOT NULL"
)
_TWO_STEPS = """
    values = {"booking": booking_id, "event": event_id, "count": count}
    made = await connection.execute(
        "INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%(booking)s, %(event)s, %(count)s)"
        " ON CONFLICT DO NOTHING",
        values,
    )
    if made.rowcount == 0:
        found = await connection.execute(
            "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %(booking)s", values
        )
        row = await found.fetchone()
        if row[2] is None and row[:2] != (event_id, count):
            raise ValueError("another wish")
        return row[2] is None
    taken = await connection.execute(TAKE_TICKETS, values)
    if taken.rowcount == 0:
        await connection.execute("DELETE FROM reservations WHERE booking_id = %(booking)s", values)
    return taken.rowcount == 1
"""
_TAKES_FIRST = """
    values = {"booking": booking_id, "event": event_id, "count": count}
    async with connection.transaction():
        taken = await connection.execute(TAKE_TICKETS, values)
        if taken.rowcount == 0:
            return False
        await connection.execute(
            "INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%(booking)s, %(event)s, %(count)s)"
            " ON CONFLICT DO NOTHING",
            values,
        )
        return True
"""
_LOOKS_THEN_INSERTS = """
    values = {"booking": booking_id, "event": event_id, "count": count}
    async with connection.transaction():
        found = await connection.execute(
            "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %(booking)s", values
        )
        row = await found.fetchone()
        if row is not None:
            if row[2] is None and row[:2] != (event_id, count):
                raise ValueError("another wish")
            return row[2] is None
        taken = await connection.execute(TAKE_TICKETS, values)
        if taken.rowcount == 0:
            return False
        await connection.execute(
            "INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%(booking)s, %(event)s, %(count)s)",
            values,
        )
        return True
"""
_LOOKS_THEN_SELLS = _LOOKS_THEN_INSERTS.replace('%(count)s)",', '%(count)s) ON CONFLICT DO NOTHING",')

WRONG = (
    WrongAnswer("takes without looking", code=_TAKES_FIRST, says="as a retry, says True and leaves 6"),
    WrongAnswer("the row stays", code=_ROW_STAYS, says="leaves a live reservation of 2"),
    WrongAnswer("True after a rollback", code=_TRUE_AFTER_ROLLBACK, says="reserve says True and leaves 1; False, and"),
    WrongAnswer("another wish is fine", code=_ANY_WISH, says="asks for 3 of the same event: reserve says True"),
    WrongAnswer("compares a tombstone", code=_COMPARES_FIRST, says="a tombstone has no event and no count to compare"),
    WrongAnswer("a rollback of nothing", code=_ROLLBACK_OF_NOTHING, says="Rollback came out of reserve and undid noth"),
    WrongAnswer("what is over begins again", code=_BEGINS_AGAIN, says="a booking gave its tickets back; late, it"),
    WrongAnswer("two steps, no transaction", code=_TWO_STEPS, says="0 tickets are taken, with a row that says so"),
    WrongAnswer("looks, then inserts", code=_LOOKS_THEN_INSERTS, says="reserve raised UniqueViolation"),
    WrongAnswer("looks, then sells twice", code=_LOOKS_THEN_SELLS, says="asks twice at once for 2: told [True, True]"),
)
