"""What people write first for task 5.3, and how the check answers."""

from workbook.lesson.source import NEXT
from workbook.lesson.task import WrongAnswer

_MOMENT = """\
    if not used:
        return pods
    ratio = sum(used) / len(used) / target
    counted = pods if ratio > 1 else len(used)
    lower = sum(used) / counted / target
    if abs(lower - 1) <= 0.1 or lower < 1 < ratio:
        return pods
    return math.ceil(lower * counted)
"""
_CHOICE = """\
    newest = recommendations[-1]
    wanted = newest if newest >= pods else min(pods, max(recommendations))
    return min(max(wanted, least), most)
"""


def _but(old: str, new: str) -> str:
    return f"{_MOMENT}{NEXT}{_CHOICE}".replace(old, new)


WRONG = (
    WrongAnswer(
        "no tolerance", code=_but("abs(lower - 1) <= 0.1 or ", ""), says="Within 10 % of the target it stays as it is"
    ),
    WrongAnswer("rounds to the nearest", code=_but("math.ceil(", "round("), says="Round up"),
    WrongAnswer("rounds down", code=_but("math.ceil(", "math.floor("), says="Round up"),
    WrongAnswer("no whole number", code=_but("math.ceil(lower * counted)", "lower * counted"), says="a whole number"),
    WrongAnswer("the busiest pod", code=_but("sum(used) / ", "len(used) * max(used) / "), says="not the busiest one"),
    WrongAnswer(
        "the other way round",
        code=_but("sum(used) / len(used) / target", "target / (sum(used) / len(used))")
        .replace("sum(used) / counted / target", "ratio")
        .replace("pods if ratio > 1 else len(used)", "len(used)"),
        says="The ratio is the other way round",
    ),
    WrongAnswer(
        "pods that are not ready are forgotten",
        code=_but("pods if ratio > 1 else len(used)", "len(used)").replace(
            "math.ceil(lower * counted)", "math.ceil(lower * pods)"
        ),
        says="they are already on their way",
    ),
    WrongAnswer(
        "pods that are not ready do no work, ever",
        code=_but("pods if ratio > 1 else len(used)", "pods"),
        says="When it shrinks, pods that are not ready are left out",
    ),
    WrongAnswer("turns round", code=_but(" or lower < 1 < ratio", ""), says="must not shrink with them"),
    WrongAnswer(
        "nobody ready",
        code=_but("        return pods\n    ratio", "        return 0\n    ratio"),
        says="nothing is known",
    ),
    WrongAnswer(
        "nothing against a division by zero",
        code=_but("    if not used:\n        return pods\n", ""),
        says="ZeroDivisionError",
    ),
    WrongAnswer(
        "shrinks at once", code=_but("min(pods, max(recommendations))", "newest"), says="the highest of the last five"
    ),
    WrongAnswer(
        "an old wish makes new pods",
        code=_but("min(pods, max(recommendations))", "max(recommendations)"),
        says="never makes new ones",
    ),
    WrongAnswer(
        "waits when it grows",
        code=_but("newest if newest >= pods else min(pods, max(recommendations))", "max(recommendations)"),
        says="Going up nothing is waited for",
    ),
    WrongAnswer(
        "the lowest of the window",
        code=_but("min(pods, max(recommendations))", "min(recommendations)"),
        says="the highest of the last five minutes",
    ),
    WrongAnswer("no bounds", code=_but("min(max(wanted, least), most)", "wanted"), says="must not leave the bounds"),
    WrongAnswer("no most", code=_but("min(max(wanted, least), most)", "max(wanted, least)"), says="must not"),
    WrongAnswer("no least", code=_but("min(max(wanted, least), most)", "min(wanted, most)"), says="must not"),
)
