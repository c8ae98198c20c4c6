"""What people write first for task 5.4, and how the check answers."""

from workbook.lesson.source import NEXT
from workbook.lesson.task import WrongAnswer

_NUMBERS = """\
POD = {"preStop": 5, "STOP_GRACE": 10, "terminationGracePeriodSeconds": 30}
STRATEGY = {"maxUnavailable": 0, "maxSurge": 1}
"""
_STOPS = """\
    await health.enter_graceful_shutdown()
    await server.stop(grace)
"""


def _numbers(old: str, new: str) -> str:
    return _NUMBERS.replace(old, new) + NEXT + _STOPS


def _stops(code: str) -> str:
    return _NUMBERS + NEXT + code


WRONG = (
    WrongAnswer("no preStop", code=_numbers('"preStop": 5', '"preStop": 0'), says="and preStop is 0 s"),
    WrongAnswer("preStop too short", code=_numbers('"preStop": 5', '"preStop": 1'), says="were refused"),
    WrongAnswer(
        "a grace shorter than the slowest booking",
        code=_numbers('"STOP_GRACE": 10', '"STOP_GRACE": 2'),
        says="STOP_GRACE is 2 s",
    ),
    WrongAnswer(
        "a grace longer than the kubelet's",
        code=_numbers('"STOP_GRACE": 10', '"STOP_GRACE": 60'),
        says="preStop 5 + STOP_GRACE 60",
    ),
    WrongAnswer(
        "preStop is not counted",
        code=_numbers('"terminationGracePeriodSeconds": 30', '"terminationGracePeriodSeconds": 12'),
        says="preStop included",
    ),
    WrongAnswer(
        "an hour, to be sure",
        code=_numbers('"terminationGracePeriodSeconds": 30', '"terminationGracePeriodSeconds": 3600'),
        says="may stay for 3600 s",
    ),
    WrongAnswer(
        "one may be missing",
        code=_numbers('"maxUnavailable": 0', '"maxUnavailable": 1'),
        says="found no pod at all",
    ),
    WrongAnswer("none more, none less", code=_numbers('"maxSurge": 1', '"maxSurge": 0'), says="may not be 0 when"),
    WrongAnswer(
        "a number as text", code=_numbers('"maxSurge": 1', '"maxSurge": "1"'), says="no number of pods and no share"
    ),
    WrongAnswer("seconds as text", code=_numbers('"preStop": 5', '"preStop": "5s"'), says="seconds are wanted"),
    WrongAnswer("says nothing", code=_stops("    await server.stop(grace)\n"), says="never heard NOT_SERVING"),
    WrongAnswer(
        "stops first, says it then",
        code=_stops("    await server.stop(grace)\n    await health.enter_graceful_shutdown()\n"),
        says="never heard NOT_SERVING",
    ),
    WrongAnswer(
        "says it for the process alone",
        code=_stops('    await health.set("", 2)\n    await server.stop(grace)\n'),
        says="which the readiness probe asks for",
    ),
    WrongAnswer(
        "stops at once",
        code=_stops("    await health.enter_graceful_shutdown()\n    await server.stop(None)\n"),
        says="bookings were cut off",
    ),
    WrongAnswer(
        "does not wait for the server",
        code=_stops(
            "    await health.enter_graceful_shutdown()\n    global stopping\n"
            "    import asyncio\n\n    stopping = asyncio.create_task(server.stop(grace))\n"
        ),
        says="`stop` was done while",
    ),
    WrongAnswer(
        "waits, and takes calls until the end",
        code=_stops(
            "    import asyncio\n\n    await health.enter_graceful_shutdown()\n    await asyncio.sleep(grace)\n"
            "    await server.stop(None)\n"
        ),
        says="bookings were cut off",
    ),
    WrongAnswer(
        "waits for the last booking, however long",
        code=_stops("    await health.enter_graceful_shutdown()\n    await server.stop(3600)\n"),
        says="`stop` had not ended",
    ),
)
