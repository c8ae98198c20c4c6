"""What people write first for task 3.5, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_READ = """\
    found = await connection.execute("SELECT id, booking_id, kind FROM outbox ORDER BY id LIMIT %s", [batch])
    rows = await found.fetchall()
"""
_PUBLISH = """\
    for row in rows:
        await publish(*row)
"""
_DELETE = """\
    await connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", [[row[0] for row in rows]])
"""
_RETURN = "    return len(rows)\n"
_RIGHT = _READ + _PUBLISH + _DELETE + _RETURN
_CURSOR = """\
    last = relay_once.__dict__.get("last", 0)
    found = await connection.execute(
        "SELECT id, booking_id, kind FROM outbox WHERE id > %s ORDER BY id LIMIT %s", [last, batch]
    )
    rows = await found.fetchall()
    for row in rows:
        await publish(*row)
        await connection.execute("DELETE FROM outbox WHERE id = %s", [row[0]])
        relay_once.last = row[0]
    return len(rows)
"""
_WITHOUT_AWAIT = """\
    for row in rows:
        publish(*row)
"""
_NEVER_MIND = """\
    for row in rows:
        try:
            await publish(*row)
        except Exception:
            print("not sent:", row)
"""
_AT_ONCE = """\
    import asyncio

    await asyncio.gather(*(publish(*row) for row in rows))
"""
_SKIPS = """\
    for row in rows:
        try:
            await publish(*row)
        except Exception:
            continue
        await connection.execute("DELETE FROM outbox WHERE id = %s", [row[0]])
"""
_TAKEN_FIRST = """\
    taken = await connection.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT %s) RETURNING id, booking_id, kind",
        [batch],
    )
    rows = sorted(await taken.fetchall())
"""
_RANGE = """\
    if rows:
        await connection.execute("DELETE FROM outbox WHERE id <= %s", [rows[-1][0]])
"""

WRONG = (
    WrongAnswer("the last id seen", code=_CURSOR, says="is committed after it, after the relay has passed: row"),
    WrongAnswer(
        "deletes, then publishes", code=_TAKEN_FIRST + _PUBLISH + _RETURN, says="its message was only on its way"
    ),
    WrongAnswer(
        "deletes what it read, then publishes", code=_READ + _DELETE + _PUBLISH + _RETURN, says="only on its way"
    ),
    WrongAnswer("does not wait", code=_READ + _WITHOUT_AWAIT + _DELETE + _RETURN, says="gone from the outbox"),
    WrongAnswer(
        "a failure is only printed",
        code=_READ + _NEVER_MIND + _DELETE + _RETURN,
        says="gone from the outbox all the same",
    ),
    WrongAnswer(
        "goes on after a failure", code=_READ + _SKIPS + _RETURN, says="it may be the same booking's next event"
    ),
    WrongAnswer(
        "all at once", code=_READ + _AT_ONCE + _DELETE + _RETURN, says="it may be the same booking's next event"
    ),
    WrongAnswer(
        "deletes up to the highest",
        code=_READ + _PUBLISH + _RANGE + _RETURN,
        says="is committed after it, while the relay publishes: row",
    ),
    WrongAnswer(
        "deletes all of it",
        code=_RIGHT.replace(' WHERE id = ANY(%s)", [[row[0] for row in rows]]', '"'),
        says="arrived, and [] are left",
    ),
    WrongAnswer("never deletes", code=_READ + _PUBLISH + _RETURN, says="[2, 3] arrived, and [2, 3, 4, 5, 6] are left"),
    WrongAnswer("no order", code=_RIGHT.replace(" ORDER BY id", ""), says="published were [4, 2], [2, 3] are right"),
    WrongAnswer(
        "no limit", code=_RIGHT.replace(" LIMIT %s", "").replace(", [batch])\n    rows", ")\n    rows"), says="LIMIT"
    ),
)
