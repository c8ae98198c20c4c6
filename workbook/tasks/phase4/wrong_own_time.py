"""What people write first for task 4.9, and how the check answers."""

from workbook.lesson.task import WrongAnswer

_LOOP = """\
    own = {{}}
    for span in spans:
        {children}
        {rest}
    return own
"""
_CHILDREN = "children = [child for child in spans if child.parent_id == span.span_id]"
_SWEEP = """\
    own = {}
    for span in spans:
        children = [child for child in spans if child.parent_id == span.span_id]
        left, upto = 0, span.start
        for child in sorted(children, key=lambda child: child.start):
            left += max(0, min(child.start, span.end) - upto)
            upto = max(upto, child.end)
        own[span.span_id] = (left + max(0, span.end - upto)) / 1e6
    return own
"""
_FIRST_TO_LAST = """\
if children:
            covered = min(span.end, max(c.end for c in children)) - max(span.start, min(c.start for c in children))
            own[span.span_id] = span.milliseconds - max(0, covered) / 1e6
        else:
            own[span.span_id] = span.milliseconds"""
_CLIPPED = "min(child.end, span.end) - max(child.start, span.start)"
_BELOW = """\
    def below(span):
        children = [child for child in spans if child.parent_id == span.span_id]
        return {child.span_id for child in children}.union(*map(below, children))

"""


def _loop(rest: str, children: str = _CHILDREN) -> str:
    return _LOOP.format(children=children, rest=rest)


WRONG = (
    WrongAnswer(
        "the whole duration",
        code="    return {span.span_id: span.milliseconds for span in spans}\n",
        says="What they do not cover is its own",
    ),
    WrongAnswer(
        "takes away the sum",
        code=_loop("own[span.span_id] = span.milliseconds - sum(child.milliseconds for child in children)"),
        says="covered once",
    ),
    WrongAnswer(
        "takes away the sum, but not more than there is",
        code=_loop("own[span.span_id] = max(0, span.milliseconds - sum(child.milliseconds for child in children))"),
        says="parent (3\N{EN DASH}7 ms) has 0 ms for itself by own_time, 1 ms is right",
    ),
    WrongAnswer(
        "cuts each child, then takes away the sum",
        code=_loop(f"own[span.span_id] = span.milliseconds - sum(max(0, {_CLIPPED}) for child in children) / 1e6"),
        says="covered once",
    ),
    WrongAnswer(
        "children are not cut at the edges",
        code=_SWEEP.replace("min(child.start, span.end)", "child.start"),
        says="it did not wait for them",
    ),
    WrongAnswer(
        "may be negative",
        code=_SWEEP.replace("max(0, span.end - upto)", "span.end - upto"),
        says="has -1 ms for itself",
    ),
    WrongAnswer(
        "children's children as well",
        code=_BELOW + _SWEEP.replace("child.parent_id == span.span_id", "child.span_id in below(span)"),
        says="the children's time already",
    ),
    WrongAnswer(
        "whatever runs meanwhile is a child",
        code=_SWEEP.replace("if child.parent_id == span.span_id", "if child is not span"),
        says="it has no children",
    ),
    WrongAnswer("from the first to the last", code=_loop(_FIRST_TO_LAST), says="its children are"),
    WrongAnswer(
        "only the longest child",
        code=_loop(
            "own[span.span_id] = span.milliseconds - max((child.milliseconds for child in children), default=0)"
        ),
        says="covered once",
    ),
    WrongAnswer(
        "in the order in which they come",
        code=_SWEEP.replace("sorted(children, key=lambda child: child.start)", "children"),
        says="its children are other",
    ),
    WrongAnswer(
        "the next child begins where the last one ended",
        code=_SWEEP.replace("max(upto, child.end)", "child.end"),
        says="covered once",
    ),
    WrongAnswer("microseconds", code=_SWEEP.replace("1e6", "1e3"), says="parent (3\N{EN DASH}7 ms) has 4000 ms"),
    WrongAnswer(
        "leaves out who has no children",
        code=_SWEEP.replace("        left, upto", "        if not children:\n            continue\n        left, upto"),
        says="each span has its own time",
    ),
)
