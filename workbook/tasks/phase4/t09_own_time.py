"""Task 4.9: the time a span spent itself, compared with looking at every millisecond."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, product
from random import Random
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.tasks.phase4.wrong_own_time import WRONG
from workbook.traces.span import Span

OwnTime = Callable[[list[Span]], dict[str, float]]

RANDOM_TRACES = 400
ZERO = 1_790_000_000_000_000_000  # nanoseconds since 1970, in 2026
CLOSE = 0.001  # milliseconds
PARENT, CHILD, OTHER, GRANDCHILD = "parent", "child", "other", "grandchild"
FROM, TO = 3, 7  # of the parent in small traces, milliseconds


def check(own_time: OwnTime) -> str:
    """A parent with one child, then with two, wherever they lie; three generations; then large traces."""
    tried = 0
    for spans in chain(_small(), _large()):
        got, right = own_time(list(spans)), _looked_at(spans)
        _complete(got, spans)
        for span in spans:
            if abs(got[span.span_id] - right[span.span_id]) > CLOSE:
                raise Wrong(_told(span, spans, got[span.span_id], right[span.span_id]))
        tried += 1
    return f"{tried:,} traces, each as if every millisecond had been looked at"


def _looked_at(spans: Sequence[Span]) -> dict[str, int]:
    """Millisecond by millisecond: was a child at work?"""
    return {
        span.span_id: sum(
            not any(child.start <= now < child.end for child in _children(span, spans))
            for now in range(span.start, span.end, 1_000_000)
        )
        for span in spans
    }


def _children(span: Span, spans: Sequence[Span]) -> list[Span]:
    return [child for child in spans if child.parent_id == span.span_id]


def _complete(got: Any, spans: Sequence[Span]) -> None:
    if not isinstance(got, dict):
        raise Wrong(f"own_time gives {got!r}: a dict is wanted, span_id → milliseconds")
    if missing := [span for span in spans if span.span_id not in got]:
        raise Wrong(f"{_shown(missing[0])} is missing in the answer: each span has its own time, also one of 0 ms")
    if more := set(got) - {span.span_id for span in spans}:
        raise Wrong(f"{more.pop()!r} is in the answer, and no span is called so")


def _small() -> Iterator[list[Span]]:
    parent = _span(PARENT, "", FROM, TO)
    yield [parent]
    # What a learner can best see comes first, so that it is also what an answer is told first.
    yield [parent, _span(CHILD, PARENT, 4, 6)]
    yield [parent, _span(CHILD, PARENT, 3, 5), _span(OTHER, PARENT, 4, 6)]
    yield [parent, _span(CHILD, PARENT, 3, 6), _span(OTHER, PARENT, 4, 5)]
    yield [parent, _span(CHILD, PARENT, 3, 5), _span(GRANDCHILD, CHILD, 4, 7)]
    yield [parent, _span(CHILD, PARENT, 8, 10)]
    places = list(combinations(range(11), 2))
    yield from ([parent, _span(CHILD, PARENT, *place)] for place in places)
    for one, other in product(places, repeat=2):
        yield [_span(OTHER, PARENT, *other), parent, _span(CHILD, PARENT, *one)]


def _large() -> Iterator[list[Span]]:
    """Some have several roots, and parents that never came; some last no time; they come in no order."""
    random = Random(9)  # noqa: S311 - the same traces each time
    for _ in range(RANDOM_TRACES):
        spans: list[Span] = []
        for number in range(random.randint(0, 9)):
            parents = ["", "never-came", *(span.span_id for span in spans)]
            start = random.randint(0, 30)
            spans.append(_span(f"span-{number}", random.choice(parents), start, start + random.randint(0, 15)))
        random.shuffle(spans)
        yield spans


def _span(name: str, parent: str, start: int, end: int) -> Span:
    """`start` and `end` in milliseconds."""
    times = (ZERO + start * 1_000_000, ZERO + end * 1_000_000)
    return Span("4bf92f3577b34da6a3ce929d0e0e4736", name, parent, "shop", name, "INTERNAL", *times, error=False)


def _told(span: Span, spans: Sequence[Span], got: float, right: int) -> str:
    children = _children(span, spans)
    if not children:
        why = "it has no children: all of its time is its own"
    else:
        why = f"its children are {', '.join(map(_shown, children))}. {_why(span, spans, children)}"
    return f"{_shown(span)} has {got:g} ms for itself by own_time, {right} ms is right: {why}"


def _why(span: Span, spans: Sequence[Span], children: Sequence[Span]) -> str:
    if all(child.start >= span.end or child.end <= span.start for child in children):
        return "They ran when it did not, and take nothing away from it: it did not wait for them"
    if any(child.start < span.start or child.end > span.end for child in children):
        return "Only what lies between its own start and end counts"
    if any(one.start < other.end and other.start < one.end for one, other in combinations(children, 2)):
        return "They run at the same time, and a moment that two of them cover is covered once"
    if any(_children(child, spans) for child in children):
        return "What its children's children do is the children's time already"
    return "What they do not cover is its own"


def _shown(span: Span) -> str:
    start, end = ((time - ZERO) // 1_000_000 for time in (span.start, span.end))
    return f"{span.name} ({start}\N{EN DASH}{end} ms)"


TASK = Task(
    id="4.9",
    title="Own time",
    names=("own_time",),
    hints=(
        (
            "Take one span and draw it as a line, its children as lines below it. What you want is the length of the "
            "line that has nothing below. Which part of a child that hangs over the edge counts?"
        ),
        (
            "For each span: its children (parent_id is its span_id), sorted by start. Go through them from left to "
            "right and remember how far the line is covered: `upto`, which begins at the span's start."
        ),
        (
            "A gap before each child adds max(0, min(child.start, span.end) - upto); then upto is the larger of upto "
            "and child.end. After the last child, add max(0, span.end - upto). Nanoseconds / 1e6 are milliseconds."
        ),
    ),
    check=check,
    wrong=WRONG,
)
