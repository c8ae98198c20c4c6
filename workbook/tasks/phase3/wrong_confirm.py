"""What people write first for task 3.4, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_MOVE = "\"UPDATE bookings SET status = 'CONFIRMED' WHERE id = %s AND status = 'PENDING'\", [booking_id]"
_TELL = '"INSERT INTO outbox (booking_id, kind) VALUES (%s, %s)", [booking_id, KIND]'
_LOOK = '"SELECT status FROM bookings WHERE id = %s", [booking_id]'
_MOVE_ANY = _MOVE.replace(" AND status = 'PENDING'", "")
_RIGHT = f"""\
    async with connection.transaction():
        moved = await connection.execute({_MOVE})
        if moved.rowcount == 0:
            return False
        await connection.execute({_TELL})
        return True
"""
_TWO_STEPS = f"""\
    moved = await connection.execute({_MOVE})
    if moved.rowcount == 1:
        await connection.execute({_TELL})
    return moved.rowcount == 1
"""
_ROW_FIRST = f"""\
    async with connection.transaction():
        await connection.execute({_TELL})
        moved = await connection.execute({_MOVE})
        return moved.rowcount == 1
"""
_LOOKS = f"""\
    async with connection.transaction():
        found = await connection.execute({_LOOK})
        if await found.fetchone() != ("PENDING",):
            return False
        await connection.execute({_MOVE_ANY})
        await connection.execute({_TELL})
        return True
"""
_TELLS_THEN_MOVES = f"""\
    found = await connection.execute({_LOOK})
    if await found.fetchone() != ("PENDING",):
        return False
    await connection.execute({_TELL})
    moved = await connection.execute({_MOVE})
    return moved.rowcount == 1
"""
_NOTIFIES = _RIGHT.replace(_TELL, "\"SELECT pg_notify('bookings', %s)\", [str(booking_id)]")

WRONG = (
    WrongAnswer("two steps", code=_TWO_STEPS, says="the booking is CONFIRMED, and no row tells of it"),
    WrongAnswer("tells, then moves", code=_TELLS_THEN_MOVES, says="everybody hears what never happened"),
    WrongAnswer(
        "tells although nothing moved",
        code=_RIGHT.replace("            return False\n", "            pass\n"),
        says="CONFIRMED already was not moved, and the outbox tells",
    ),
    WrongAnswer("the row first, and it stays", code=_ROW_FIRST, says="was not moved, and the outbox tells"),
    WrongAnswer(
        "from any status",
        code=_RIGHT.replace(_MOVE, _MOVE_ANY),
        says="CONFIRMED already was not moved, and the outbox tells",
    ),
    WrongAnswer("looks, then moves", code=_LOOKS, says="a retry confirms at that moment: told [True, True]"),
    WrongAnswer("only who listens is told", code=_NOTIFIES, says="Whoever was not listening"),
    WrongAnswer(
        "leaves the telling to its caller",
        code=_RIGHT.replace(f"        await connection.execute({_TELL})\n", ""),
        says="the outbox tells [] of it",
    ),
    WrongAnswer("True always", code=_RIGHT.replace("return False", "return True"), says="confirm gives True, False"),
)
