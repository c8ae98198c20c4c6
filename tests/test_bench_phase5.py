"""Phase 5's benchmark: gateway and direct calls are measured side by side and written down. No speed is asserted."""

import json
from pathlib import Path

import pytest

from bench import phase5
from bench.run import main


@pytest.mark.timeout(400)  # the whole system starts, which takes a busy machine its time
def test_a_short_run_measures_both_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.run.ROUNDS", 2)
    assert main(5, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase5.json").read_text())
    assert set(written["ratios"]) == {pair.name for pair in phase5.RATIOS}
    assert set(written["summaries"]) == {phase5.HTTP, phase5.GRPC}
    assert all(found["rate"] > 0 for found in written["summaries"].values())
