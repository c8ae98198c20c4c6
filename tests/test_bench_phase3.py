"""Phase 3's benchmark: what it counts is what happened, and its statement without dedupe really has none."""

import json
from collections import Counter
from pathlib import Path

import pytest
from messaging.contract import read
from metrics_consumer import postgres

from bench import counting, kafka, phase3
from bench.run import main


def test_messages_are_such_as_the_consumer_reads_and_each_is_another_one() -> None:
    messages = kafka.outgoing("bookings", 300)
    found = [read(message.headers, message.value) for message in messages]
    assert Counter(type(each).__name__ for each in found) == {"Received": 300}
    assert len({each.id for each in found if each is not None}) == len({message.key for message in messages}) == 300


def test_without_dedupe_means_without_its_memory_and_nothing_else() -> None:
    assert "counted" in postgres.COUNT
    assert "counted" not in counting.UNCHECKED
    assert "seen_first" not in counting.UNCHECKED
    assert counting.UNCHECKED.count("%s") == postgres.COUNT.count("%s")


@pytest.mark.timeout(400)  # two stacks start, which takes a busy machine its time
def test_a_short_run_measures_everything_and_writes_it_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.run.ROUNDS", 2)
    assert main(3, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase3.json").read_text())
    assert set(written["ratios"]) == {pair.name for pair in phase3.RATIOS}
    assert all(found["rate"] > 0 for found in written["summaries"].values())
    (drained,), (counted,) = written["rounds"]["drain"], written["rounds"]["consumer"]
    assert drained["calls"] == counted["calls"] == counting.size(0.2)
    if phase3.DELAY in written["rounds"]:  # Apache Kafka tells when a message came, the embedded broker does not
        (told,) = written["rounds"][phase3.DELAY]
        assert 0 < told["latency_quantiles"]["50"] < 60
        assert f"{phase3.DELAY}: p99" in capsys.readouterr().out
