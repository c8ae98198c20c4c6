"""What people write first for task 3.3, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_ADD = """\
        await connection.execute(
            "INSERT INTO totals (status, count) VALUES (%s, 1)"
            " ON CONFLICT (status) DO UPDATE SET count = totals.count + 1",
            [status],
        )
"""
_NOTE = '"INSERT INTO seen (message_id) VALUES (%s) ON CONFLICT DO NOTHING", [message_id]'
_UPDATE = """\
        await connection.execute("UPDATE totals SET count = count + 1 WHERE status = %s", [status])
"""
_RIGHT = f"""\
    async with connection.transaction():
        noted = await connection.execute({_NOTE})
        if noted.rowcount == 0:
            return False
{_ADD}
        return True
"""
_IN_MEMORY = f"""\
    done = count_once.__dict__.setdefault("done", set())
    if message_id in done:
        return False
    async with connection.transaction():
        await connection.execute({_NOTE})
{_ADD}
    done.add(message_id)
    return True
"""
_LOOKS = f"""\
    async with connection.transaction():
        found = await connection.execute("SELECT FROM seen WHERE message_id = %s", [message_id])
        if found.rowcount:
            return False
        await connection.execute({_NOTE})
{_ADD}
        return True
"""
_TWO_STEPS = f"""\
    noted = await connection.execute({_NOTE})
    if noted.rowcount == 0:
        return False
    if True:
{_ADD}
    return True
"""
_TWO_TRANSACTIONS = f"""\
    async with connection.transaction():
        noted = await connection.execute({_NOTE})
    if noted.rowcount == 0:
        return False
    async with connection.transaction():
{_ADD}
    return True
"""
_COUNTS_FIRST = f"""\
    found = await connection.execute("SELECT FROM seen WHERE message_id = %s", [message_id])
    if found.rowcount:
        return False
    if True:
{_ADD}
    await connection.execute({_NOTE})
    return True
"""
_BY_STATUS = f"""\
    async with connection.transaction():
        found = await connection.execute("SELECT FROM totals WHERE status = %s", [status])
        if found.rowcount:
            return False
        await connection.execute({_NOTE})
{_ADD}
        return True
"""
_READ_AND_WRITTEN = """\
    async with connection.transaction():
        note = "INSERT INTO seen (message_id) VALUES (%s) ON CONFLICT DO NOTHING"
        noted = await connection.execute(note, [message_id])
        if noted.rowcount == 0:
            return False
        found = await connection.execute("SELECT count FROM totals WHERE status = %s", [status])
        count = (await found.fetchone() or (0,))[0] + 1
        await connection.execute(
            "INSERT INTO totals (status, count) VALUES (%s, %s)"
            " ON CONFLICT (status) DO UPDATE SET count = excluded.count",
            [status, count],
        )
        return True
"""

WRONG = (
    WrongAnswer("remembers in memory", code=_IN_MEMORY, says="What this process remembers is not enough"),
    WrongAnswer("looks, then inserts", code=_LOOKS, says="two processes have one message at once: told [True, True]"),
    WrongAnswer(
        "looks, then inserts and fails", code=_LOOKS.replace(" ON CONFLICT DO NOTHING", ""), says="its row was in seen"
    ),
    WrongAnswer(
        "two steps", code=_TWO_STEPS, says="the message was noted and not counted. It came again, and the total is 0"
    ),
    WrongAnswer("two transactions", code=_TWO_TRANSACTIONS, says="noted and not counted"),
    WrongAnswer(
        "counts first, notes later",
        code=_COUNTS_FIRST,
        says="the message was counted and not noted. It came again, and the total is 2",
    ),
    WrongAnswer("by status", code=_BY_STATUS, says="number 2: totals are {'CONFIRMED': 1, 'CANCELLED': 0}"),
    WrongAnswer(
        "adds whatever seen says",
        code=_RIGHT.replace("            return False\n", "            pass\n"),
        says="one message came again and the total is 2",
    ),
    WrongAnswer(
        "adds to a row that is not there",
        code=_RIGHT.replace(_ADD, _UPDATE),
        says="number 1: totals are {'CONFIRMED': 0",
    ),
    WrongAnswer("writes the number that it read", code=_READ_AND_WRITTEN, says="and the total grew by 1; 2 is right"),
    WrongAnswer(
        "says True always", code=_RIGHT.replace("return False", "return True"), says="came again: count_once gives True"
    ),
)
