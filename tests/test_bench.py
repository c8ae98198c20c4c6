"""The benchmark: its arithmetic, and one short run of everything. No speed is asserted."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench import phase1
from bench.contender import Calls, ContenderFailed
from bench.figures import Round, Summary, percentile, ratio, summary
from bench.pgbench import Pgbench, logged_latencies, rate_of, with_variables
from bench.report import remarks
from bench.run import interleaved, main
from workbook.postgres import connect
from workbook.stack import LocalStack

# Arithmetic


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert [percentile(values, percent) for percent in (1, 50, 99, 99.5, 100)] == [1, 50, 99, 100, 100]
    assert percentile([7.0], 99) == 7.0


def test_a_ratio_compares_rounds_that_ran_side_by_side() -> None:
    fast_then_slow = [Round(100, 1, [0.1], 0.5), Round(10, 1, [0.1], 0.5), Round(30, 1, [0.1], 0.5)]
    reference = [Round(200, 1, [0.1], 0.5), Round(20, 1, [0.1], 0.5), Round(20, 1, [0.1], 0.5)]
    found = ratio(fast_then_slow, reference)
    assert (found.median, found.low, found.high) == (0.5, 0.5, 1.5)


def test_a_summary_is_the_median_over_rounds() -> None:
    rounds = [Round(calls, 2, [0.001 * calls], 1, {"service": 0.2}) for calls in (10, 20, 40)]
    found = summary(rounds)
    assert (found.rate, found.p50, found.generator_cores) == (10, 0.02, 0.5)
    assert found.server_cpu["service"] == pytest.approx(0.01)


def test_whoever_uses_up_a_core_is_named() -> None:
    calm = Summary(1000, 0.01, 0.02, 0.3, {"service": 0.0002})
    busy_generator = Summary(1000, 0.01, 0.02, 0.95, {"service": 0.0002})
    busy_service = Summary(1000, 0.01, 0.02, 0.3, {"service": 0.00098})
    assert not list(remarks({"calm": calm}))
    said = " ".join(remarks({"calm": calm, "one": busy_generator, "other": busy_service}))
    assert "generator used up its core, so it may be what limits: one (0.95)" in said
    assert "service used up its core, so it may be what limits: other (0.98)" in said
    assert "not measured" in " ".join(remarks({"echo": Summary(1000, 0.01, 0.02, 0.3, {})}))


# Rounds


@dataclass
class Scripted:
    """Answers with one call more in each round."""

    name: str
    turns: list[str]
    servers: Mapping[str, int] = field(default_factory=dict)
    rounds: int = 0

    def run(self, seconds: float, in_flight: int) -> Round:
        self.turns.append(self.name)
        self.rounds += 1
        return Round(self.rounds, seconds, [0.1] * in_flight, 0.1)


def test_all_take_turns_and_the_first_round_does_not_count() -> None:
    turns: list[str] = []
    said: list[str] = []
    measured = interleaved([Scripted("one", turns), Scripted("other", turns)], 3, 2, 4, said.append)
    assert turns == ["one", "other"] * 3
    assert {name: [each.calls for each in rounds] for name, rounds in measured.items()} == {
        "one": [2, 3],
        "other": [2, 3],
    }
    assert said[0].startswith("warm-up: one")
    assert len(said) == 6


# pgbench


def test_each_parameter_becomes_a_variable() -> None:
    assert with_variables("\nSELECT %s, %s\n", ":one", "''") == "SELECT :one, ''"
    with pytest.raises(ValueError, match="2 parameters, but 1 names"):
        with_variables("SELECT %s, %s", ":one")


def test_what_pgbench_writes_is_read(tmp_path: Path) -> None:
    output = "latency average = 12 ms\ninitial connection time = 9 ms\ntps = 1234.5 (without initial connection time)\n"
    assert rate_of(output) == 1234.5
    with pytest.raises(ContenderFailed, match="no rate"):
        rate_of("tps = many")
    (tmp_path / "pgbench_log.7").write_text("0 1 2500 0 1700000000 5\n1 1 4000 0 1700000000 9\n")
    (tmp_path / "script.sql").write_text("SELECT 1")
    assert sorted(logged_latencies(tmp_path)) == [0.0025, 0.004]


# Everything, for real


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(1) as stack:
        yield stack


def by_status(stack: LocalStack) -> dict[str, int]:
    with connect(stack["postgres"].address, "booking_db") as connection:
        return dict(connection.execute("SELECT status, count(*) FROM bookings GROUP BY status").fetchall())


def test_every_create_that_is_counted_is_a_booking(stack: LocalStack) -> None:
    before = by_status(stack).get("CONFIRMED", 0)
    measured = Calls("create", "bench.phase1:create", stack["booking-service"].address).run(0.2, 4)
    assert by_status(stack) == {"CONFIRMED": before + measured.calls}


def test_every_transaction_of_pgbench_is_one_too(stack: LocalStack) -> None:
    before = by_status(stack).get("CONFIRMED", 0)
    with connect(stack["postgres"].address, "booking_db") as connection:
        script, variables = phase1.CREATE_SCRIPT, phase1.CREATE_VARIABLES
        measured = Pgbench("pgbench create", script, connection, variables).run(0.2, 4)
        with pytest.raises(ContenderFailed, match="nowhere"):
            Pgbench("wrong", "SELECT * FROM nowhere;", connection).run(0.2, 1)
    assert by_status(stack) == {"CONFIRMED": before + measured.calls}


def test_a_phase_without_a_bench_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(99, 0.1, 4, tmp_path) == 2
    assert "nothing measures phase 99 yet; there is 1" in capsys.readouterr().err


def test_a_short_run_measures_everything_and_writes_it_down(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.run.ROUNDS", 3)
    assert main(1, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase1.json").read_text())
    assert set(written["summaries"]) == {"echo", "get", "create", "pgbench get", "pgbench create"}
    for found in written["summaries"].values():  # by a coarse clock a quick query takes no time
        assert found["rate"] > 0
        assert 0 <= found["p50"] <= found["p99"]
    create, reference = written["rounds"]["create"], written["rounds"]["echo"]
    low, high = sorted(ours["rate"] / theirs["rate"] for ours, theirs in zip(create, reference, strict=True))
    found = written["ratios"]["create ÷ echo"]
    assert (found["low"], found["high"]) == (low, high)
    assert found["median"] == pytest.approx((low + high) / 2)
    assert written["machine"]["cores"] == os.cpu_count()
    assert (tmp_path / "phase1.png").read_bytes().startswith(b"\x89PNG")
    assert "create ÷ echo" in capsys.readouterr().out
