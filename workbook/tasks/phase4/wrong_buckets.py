"""What people write first for task 4.3, and how the check answers."""

from workbook.lesson.task import WrongAnswer


def _instead(bounds: str) -> str:
    return f"BUCKETS = {bounds}\n"


WRONG = (
    WrongAnswer(
        "prometheus_client's own",
        code=_instead("(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)"),
        says="quick: p99 is 6.01 ms, and 8.88 ms is read (+48%): it lies between 5 ms and 10 ms",
    ),
    WrongAnswer(
        "prometheus_client's own, the longest left out",
        code=_instead("(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0)"),
        says="two humps: p99 is 276 ms, and 432 ms is read (+57%)",
    ),
    WrongAnswer(
        "equal steps",
        code=_instead("tuple(number / 20 for number in range(1, 13))"),
        says="quick: p50 is 3 ms, and 25 ms is read (+733%): it lies between 0 ms and 50 ms",
    ),
    WrongAnswer(
        "powers of ten",
        code=_instead("(0.001, 0.01, 0.1, 0.25, 1, 10)"),
        says="two humps: p50 is 13.8 ms, and 66.5 ms is read",
    ),
    WrongAnswer(
        "powers of two",
        code=_instead("tuple(0.25 * 2**number for number in range(-8, 4))"),
        says="two humps: p99 is 276 ms, and 432 ms is read",
    ),
    WrongAnswer(
        "no bound at the promise",
        code=_instead("(0.002, 0.004, 0.006, 0.01, 0.015, 0.03, 0.06, 0.12, 0.24, 0.3, 0.6, 1.2)"),
        says="96.3% did, and the buckets say 94.4% up to 240 ms and 99.8% up to 300 ms: a guess",
    ),
    WrongAnswer(
        "forty bounds",
        code=_instead("(*(number / 1000 for number in range(1, 37)), 0.06, 0.25, 0.3, 1)"),
        says="40 bounds, 12 at most",
    ),
    WrongAnswer(
        "not in order",
        code=_instead("(0.25, 0.002, 0.004, 0.006, 0.01, 0.015, 0.03, 0.06, 0.12, 0.3, 0.6, 1.2)"),
        says="0.002 stands after 0.25",
    ),
    WrongAnswer(
        "one of them twice",
        code=_instead("(0.002, 0.004, 0.006, 0.01, 0.015, 0.03, 0.06, 0.12, 0.25, 0.25, 0.3, 1.2)"),
        says="0.25 stands after 0.25",
    ),
    WrongAnswer(
        "milliseconds",
        code=_instead("(2, 4, 6, 10, 15, 30, 60, 120, 250, 300, 600, 1200)"),
        says="Are these milliseconds?",
    ),
    WrongAnswer(
        "all of them around the promise",
        code=_instead("(0.05, 0.1, 0.15, 0.2, 0.22, 0.24, 0.25, 0.26, 0.28, 0.3, 0.4, 0.5)"),
        says="quick: p50 is 3 ms, and 25 ms is read",
    ),
    WrongAnswer(
        "ends at the promise",
        code=_instead("(0.002, 0.004, 0.006, 0.01, 0.015, 0.03, 0.06, 0.12, 0.25)"),
        says="a tail: p99 is 968 ms, and 250 ms is read (-74%): it lies above the last bound",
    ),
    WrongAnswer("the promise alone", code=_instead("(0.25)"), says="BUCKETS is 0.25: a tuple of"),
)
