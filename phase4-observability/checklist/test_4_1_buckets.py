"""4.1 The services' metrics are there."""

from collections import defaultdict

from checklist.outcomes import CONTRACT, in_contract
from checklist.page import Figures, Series, series, told
from checklist.shown import SECONDS, named

from workbook.checks.verdict import expect, not_run

OBJECTIVE = 0.25  # seconds, see phase4-observability/README.md
NEAR = 2  # how far the buckets before and behind it may be away, as a factor
AT_ONCE = "leave counting in buckets to a client library, and show one reading of it"
Ends = dict[float, float]


def test_consistent(figures: Figures) -> None:
    """The buckets of a histogram add up: each counts what is in those before it, and the last one counts all."""
    histograms = _histograms(figures)
    for histogram, ends in histograms.items():
        counts = [ends[end] for end in sorted(ends)]
        said = f"{told(histogram)}: the buckets count {', '.join(f'{count:g}' for count in counts[:12])}"
        expect(counts == sorted(counts), f"{said}, and none may count less than the one before it", AT_ONCE)
        all_of = figures.get((f"{SECONDS}_count", histogram[1]))
        last = ends.get(float("inf"))
        said = f"{told(histogram)}: _count is {all_of}, and the bucket +Inf {last}"
        expect(last is not None and last == all_of, said, AT_ONCE)


def test_objective(figures: Figures) -> None:
    """A bucket ends at the objective, with others around it: how many requests met it is read, not guessed."""
    ends = sorted({end for ends in _histograms(figures).values() for end in ends})
    below = [end for end in ends if OBJECTIVE / NEAR <= end < OBJECTIVE]
    above = [end for end in ends if OBJECTIVE < end <= OBJECTIVE * NEAR]
    right = OBJECTIVE in ends and below and above
    if not right and not in_contract(figures):
        not_run(f"needs buckets that end at {OBJECTIVE} s, the objective, and near it: {CONTRACT}")
    said = f"the buckets of {SECONDS} end at {', '.join(f'{end:g}' for end in ends)}"
    expect(right, said, f"let one end at {OBJECTIVE}, and one in each half and double of that")


def _histograms(figures: Figures) -> dict[Series, Ends]:
    """The counts of each histogram by the ends of its buckets."""
    found: dict[Series, Ends] = defaultdict(dict)
    for (_, labels), value in named(figures, f"{SECONDS}_bucket").items():
        values = dict(labels)
        found[series(SECONDS, **{name: each for name, each in values.items() if name != "le"})][float(values["le"])] = (
            value
        )
    if not found:
        not_run(f"needs {SECONDS} as a histogram")
    return found
