"""Where a trace's time went: what each span spent itself, while nothing that it caused was running."""

from collections import defaultdict
from collections.abc import Sequence

from workbook.traces.span import Span


def own_time(spans: Sequence[Span]) -> dict[str, float]:
    """Milliseconds by span id: a span's length, without those parts of it during which a child of it ran."""
    children = defaultdict(list)
    for span in spans:
        children[span.parent_id].append(span)
    return {span.span_id: (span.end - span.start - _covered(span, children[span.span_id])) / 1e6 for span in spans}


def _covered(span: Span, children: Sequence[Span]) -> int:
    covered, upto = 0, span.start
    for child in sorted(children, key=lambda child: child.start):
        begin, end = max(child.start, upto), min(child.end, span.end)
        covered += max(0, end - begin)
        upto = max(upto, end)
    return covered
