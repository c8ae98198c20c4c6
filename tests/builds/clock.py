"""A process whose clock is wrong: `time.time()` and `datetime.now()` are ahead, or behind.

The monotonic clock stays as it is, as it does when somebody sets a machine's clock. gRPC reads the time twice, in C and
in Python, and only the latter could be changed here: its Python half keeps the true clock, so that both agree.
"""

import datetime as dt
import sys
import time

_TOLD_THE_TRUTH = ("grpc.", "chassis.deadlines")  # the latter asks gRPC, whose compiled half leaves no frame


def shift(seconds: float) -> None:
    """From now on this process is `seconds` ahead of the world."""
    true_time, true_datetime = time.time, dt.datetime

    def wrong_time() -> float:
        asking = str(sys._getframe(1).f_globals.get("__name__", ""))
        return true_time() if asking.startswith(_TOLD_THE_TRUTH) else true_time() + seconds

    class WrongDatetime(true_datetime):  # type: ignore[misc, valid-type]  # the class as it was until here
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return true_datetime.now(tz) + dt.timedelta(seconds=seconds)

    time.time = wrong_time
    dt.datetime = WrongDatetime  # type: ignore[misc]
