"""What people write first for task 3.6, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_LOOP = """\
    for attempt in range(1, tries + 1):
        try:
            return await handle(record)
        except Unavailable:
            raise
        except Exception as error:
            if attempt == tries:
                {last}
"""
_AT_ONCE = """\
    try:
        await handle(record)
    except Unavailable:
        raise
    except Exception as error:
        await bury(record, error)
"""
_FOR_EVER = """\
    while True:
        try:
            return await handle(record)
        except Unavailable:
            raise
        except Exception:
            continue
"""
_AFTER_THE_LOOP = """\
    for _ in range(tries):
        try:
            return await handle(record)
        except Unavailable:
            raise
        except Exception as error:
            pass
    await bury(record, error)
"""
_ACROSS = """\
    counts = handle_or_bury.__dict__
    while True:
        try:
            return await handle(record)
        except Unavailable:
            raise
        except Exception as error:
            counts["tries"] = counts.get("tries", 0) + 1
            if counts["tries"] >= tries:
                counts["tries"] = 0
                return await bury(record, error)
"""
_HANDLED_AGAIN = """\
    last = None
    for _ in range(tries):
        try:
            await handle(record)
            last = None
        except Unavailable:
            raise
        except Exception as error:
            last = error
    if last is not None:
        await bury(record, last)
"""
_RIGHT = _LOOP.format(last="await bury(record, error)")

WRONG = (
    WrongAnswer("for ever", code=_FOR_EVER, says="was tried 20 times and is tried on"),
    WrongAnswer("drops it silently", code=_LOOP.format(last='print("skipped", error)'), says="lost without a trace"),
    WrongAnswer("gives up with an error", code=_LOOP.format(last="raise"), says="so it is read again, for ever"),
    WrongAnswer("buries at once", code=_AT_ONCE, says="3 are allowed: it was buried after 1"),
    WrongAnswer(
        "buries when the database is away",
        code=_RIGHT.replace("        except Unavailable:\n            raise\n", ""),
        says="a good record was buried with Unavailable",
    ),
    WrongAnswer(
        "returns when the database is away",
        code=_RIGHT.replace("except Unavailable:\n            raise", "except Unavailable:\n            return"),
        says="the database is away: handle_or_bury returned",
    ),
    WrongAnswer(
        "raises after the burial",
        code=_LOOP.format(last="await bury(record, error)\n                raise"),
        says="it was buried, and handle_or_bury raised",
    ),
    WrongAnswer("counts over all records", code=_ACROSS, says="each record has 3 tries of its own"),
    WrongAnswer(
        "buries when it is told to stop",
        code=_RIGHT.replace("except Exception as", "except BaseException as"),
        says="a good record was buried with CancelledError",
    ),
    WrongAnswer("does not wait for the burial", code=_RIGHT.replace("await bury", "bury"), says="never buried"),
    WrongAnswer(
        "a burial that fails is forgotten",
        code="    import contextlib\n\n"
        + _LOOP.format(last="with contextlib.suppress(Exception):\n                    await bury(record, error)"),
        says="bury raised Unavailable('the dead-letter topic is away') and handle_or_bury returned",
    ),
    WrongAnswer("the error's name is gone", code=_AFTER_THE_LOOP, says="Python forgets the name"),
    WrongAnswer("goes on after a success", code=_HANDLED_AGAIN, says="a record that can be handled: handled 3 times"),
)
