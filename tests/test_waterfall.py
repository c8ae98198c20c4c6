"""The picture of a trace: causes before what they caused, all of it there even when a span got lost."""

from itertools import pairwise

import pytest

from workbook.traces.span import Span
from workbook.traces.waterfall import _tree, waterfall_image


def span(name: str, parent: str = "", start: int = 0, *, error: bool = False) -> Span:
    return Span("t", name, parent, "shop", name, "INTERNAL", start, start + 1_000_000, error)


SPANS = [span("pays", "buys", 3), span("asks", "pays", 4), span("looks", "buys", 2), span("buys", start=1)]


def test_causes_stand_before_what_they_caused() -> None:
    assert [(span.name, depth) for span, depth in _tree(SPANS)] == [("buys", 0), ("looks", 1), ("pays", 1), ("asks", 2)]


def test_what_has_lost_its_cause_is_still_shown() -> None:
    lost = [span for span in SPANS if span.name != "pays"]
    assert [(span.name, depth) for span, depth in _tree(lost)] == [("buys", 0), ("looks", 1), ("asks", 0)]


def test_a_longer_trace_is_a_higher_picture_up_to_a_limit() -> None:
    traces = [[span(str(number)) for number in range(size)] for size in (2, 20, 60, 500)]
    heights = [int.from_bytes(waterfall_image(spans, upto=0.5).data[20:24]) for spans in traces]  # as PNG has it
    assert all(lower < higher for lower, higher in pairwise(heights[:3]))
    assert heights[3] == heights[2]


def test_there_must_be_something_to_show() -> None:
    with pytest.raises(ValueError, match="is its trace kept"):
        waterfall_image([])
