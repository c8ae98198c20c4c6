"""The benchmark: its arithmetic, and one short run of everything. No speed is asserted: machines differ."""

import json
from pathlib import Path

import pytest

from bench.figures import Round, percentile, ratio, summary
from bench.run import main


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_a_ratio_compares_rounds_that_ran_side_by_side() -> None:
    fast_then_slow = [Round(100, 1, [0.1], 0.5), Round(10, 1, [0.1], 0.5), Round(30, 1, [0.1], 0.5)]
    reference = [Round(200, 1, [0.1], 0.5), Round(20, 1, [0.1], 0.5), Round(20, 1, [0.1], 0.5)]
    found = ratio(fast_then_slow, reference)
    assert (found.median, found.low, found.high) == (0.5, 0.5, 1.5)


def test_a_summary_is_the_median_over_rounds() -> None:
    rounds = [Round(calls, 2, [0.001 * calls], 1, {"service": 0.2}) for calls in (10, 20, 40)]
    found = summary(rounds)
    assert (found.rate, found.p50, found.generator_share) == (10, 0.02, 0.5)
    assert found.server_cpu["service"] == pytest.approx(0.01)


def test_a_phase_without_a_bench_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(2, 0.1, 4, tmp_path) == 2
    assert "nothing measures phase 2 yet; there is 1" in capsys.readouterr().err


def test_a_short_run_measures_everything_and_writes_it_down(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(1, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase1.json").read_text())
    assert set(written["summaries"]) == {"echo", "get", "create", "pgbench get", "pgbench create"}
    assert all(found["rate"] > 0 and 0 < found["p50"] <= found["p99"] for found in written["summaries"].values())
    create, echo = written["rounds"]["create"], written["rounds"]["echo"]
    by_hand = sorted(ours["rate"] / theirs["rate"] for ours, theirs in zip(create, echo, strict=True))
    assert by_hand[0] <= written["ratios"]["create ÷ echo"]["median"] <= by_hand[-1]
    assert (tmp_path / "phase1.png").read_bytes().startswith(b"\x89PNG")
    assert "create ÷ echo" in capsys.readouterr().out
