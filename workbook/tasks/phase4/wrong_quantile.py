"""What people write first for task 4.2, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_RIGHT = """\
    total = buckets[-1][1]
    if total == 0 or len(buckets) == 1:
        return None
    rank = q * total
    begin, before = 0.0, 0.0
    for end, count in buckets:
        if count >= rank:
            if end == math.inf:
                return begin
            return begin + (end - begin) * (rank - before) / (count - before)
        begin, before = end, count
"""


def _but(right: str, wrong: str) -> str:
    """The right answer, except for one part."""
    return _RIGHT.replace(right, wrong)


_INSIDE = "begin + (end - begin) * (rank - before) / (count - before)"

WRONG = (
    WrongAnswer(
        "the bucket's upper bound", code=_but(_INSIDE, "end"), says="not all of these took as long as the longest"
    ),
    WrongAnswer("the bucket's lower bound", code=_but(_INSIDE, "begin"), says="quantile gives 0.1, 0.175 is right"),
    WrongAnswer(
        "the middle of the bucket",
        code=_but(_INSIDE, "(begin + end) / 2"),
        says="q = 0.95, buckets ≤0.1: 20  ≤0.25: 80  ≤0.5: 96  ≤+Inf: 100: quantile gives 0.375, 0.48437 is right",
    ),
    WrongAnswer(
        "the mean of all",
        code="""\
    if not buckets[-1][1]:
        return None
    total, before = 0.0, 0
    for end, count in buckets[:-1]:
        total, before = total + end * (count - before), count
    return total / before
""",
        says="quantile gives 0.26042, 0.175 is right",
    ),
    WrongAnswer(
        "adds up counts that are sums already",
        code="""\
    summed, seen = [], 0
    for end, count in buckets:
        seen += count
        summed.append((end, seen))
    buckets = summed
"""
        + _RIGHT,
        says="Request number 50 of 100: 20 took at most 0.1 s, 80 at most 0.25 s. So it is number 30 of the 60",
    ),
    WrongAnswer(
        "takes the bucket's count for what is in it",
        code=_but("(count - before)", "count"),
        says="quantile gives 0.15625, 0.175 is right",
    ),
    WrongAnswer(
        "goes all the way from the bucket before",
        code=_but("(rank - before) /", "rank /"),
        says="quantile gives 0.225, 0.175 is right",
    ),
    WrongAnswer(
        "begins every bucket at 0",
        code=_but(_INSIDE, "end * (rank - before) / (count - before)"),
        says="quantile gives 0.125, 0.175 is right",
    ),
    WrongAnswer(
        "no bucket before the first",
        code=_but("begin, before = 0.0, 0.0", "begin, before = buckets[0]"),
        says="quantile raises ZeroDivisionError",
    ),
    WrongAnswer(
        "the next bucket",
        code=_but("count >= rank", "count > rank"),
        says="≤1: 20  ≤+Inf: 20: quantile gives 0.5, 0.1 is right",
    ),
    WrongAnswer(
        "the end of +Inf",
        code=_but("return begin\n", "return end\n"),
        says="quantile gives inf, 0.5 is right. Request number 99 lies in +Inf",
    ),
    WrongAnswer(
        "interpolates up to +Inf",
        code=_but("            if end == math.inf:\n                return begin\n", ""),
        says="Prometheus gives that last bound",
    ),
    WrongAnswer(
        "0 for nothing", code=_but("return None", "return 0.0"), says="quantile gives 0.0. Nothing can be read here"
    ),
    WrongAnswer(
        "divides by nothing", code=_but("total == 0 or ", ""), says="≤+Inf: 0: quantile raises ZeroDivisionError"
    ),
    WrongAnswer(
        "one bucket is enough",
        code=_but(" or len(buckets) == 1", ""),
        says="buckets ≤+Inf: 7: quantile gives 0.0. Nothing can be read",
    ),
    WrongAnswer(
        "counts those within the last bound alone",
        code=_but("buckets[-1][1]", "buckets[-2][1]"),
        says="quantile gives 0.17, 0.175 is right",
    ),
    WrongAnswer(
        "whole requests only",
        code=_but("q * total", "round(q * total)"),
        says="So it is number 3.5 of the 7 in between",
    ),
    WrongAnswer(
        "milliseconds",
        code=_but(f"return {_INSIDE}", f"return 1000 * ({_INSIDE})"),
        says="quantile gives 175, 0.175 is right",
    ),
)
