"""What the checks of lesson 4 rest on: promtool's answers are read rightly, and the quantile is Prometheus' own."""

from math import inf, isclose, isnan
from random import Random

import pytest

from workbook.needs import needs
from workbook.props import evenly
from workbook.props.evaluator import NotAnswered, Sample, Series, answers

COUNTER = [
    Series("seen_total", {"path": 'a "quoted}" one', "by": replica}, [90.0 * n for n in range(41)]) for replica in "xy"
]


@pytest.fixture(autouse=True)
def promtool() -> None:
    needs("prometheus-tools")


def test_answers_come_in_order_also_where_there_is_none() -> None:
    asked = [
        "sum by (path) (rate(seen_total[5m]))",
        "nobody",
        "seen_total{",
        "rate(seen_total[5m]) # a comment",
        "0 / 0",
    ]
    (summed, nothing, broken, each, strange), (only, *_) = answers(asked, [COUNTER, COUNTER[:1]])
    assert isinstance(summed, list)
    assert [(sample.labels, round(sample.value, 6)) for sample in summed] == [({"path": 'a "quoted}" one'}, 12)]
    assert nothing == []
    assert isinstance(broken, NotAnswered)
    assert "parse error" in str(broken)
    assert isinstance(each, list)
    assert [sample.labels["by"] for sample in each] == ["x", "y"]
    assert isinstance(strange, list)
    assert isnan(strange[0].value)
    assert isinstance(only, list)
    assert round(only[0].value, 6) == 6


def test_a_promtool_that_does_not_run_is_no_answer() -> None:
    with pytest.raises(RuntimeError, match="did not answer"):
        answers(["vector(1)"], [[Series("not a name", {}, [0.0, 1.0])]])


def test_the_quantile_is_the_one_that_prometheus_reads() -> None:
    """The same histogram under many names, so that one run of promtool answers for all of them."""
    random = Random(11)  # noqa: S311 - the same histograms each time
    histograms = {f"h{number}": _histogram(random) for number in range(60)}
    series = [
        Series("took_bucket", {"of": name, "le": "+Inf" if end == inf else repr(end)}, [count, count])
        for name, buckets in histograms.items()
        for end, count in buckets
    ]
    shares = (1 / 64, 0.25, 0.5, 0.75, 63 / 64, 1)
    (found,) = answers([f"histogram_quantile({q}, took_bucket)" for q in shares], [series])
    for q, samples in zip(shares, found, strict=True):
        assert isinstance(samples, list)
        assert len(samples) == len(histograms)
        assert not [
            sample for sample in samples if not _same(sample, evenly.quantile(q, histograms[sample.labels["of"]]))
        ]


def _histogram(random: Random) -> list[tuple[float, float]]:
    ends = [number / 64 for number in sorted(random.sample(range(1, 400), random.randint(1, 8)))]
    seen, buckets = 0, []
    for end in (*ends, inf):
        seen += random.choice((0, 0, 64, 64 * random.randint(1, 50)))
        buckets.append((end, float(seen)))
    return buckets


def _same(sample: Sample, right: float | None) -> bool:
    return isnan(sample.value) if right is None else isclose(sample.value, right, rel_tol=1e-9)
