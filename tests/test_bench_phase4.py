"""Phase 4's benchmark: everything is measured side by side and written down. No speed is asserted."""

import json
from pathlib import Path

import pytest

from bench import phase4
from bench.run import main


@pytest.mark.timeout(400)  # three stacks start, which takes a busy machine its time
def test_a_short_run_measures_all_three(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.run.ROUNDS", 2)
    assert main(4, 0.2, 4, tmp_path) == 0
    written = json.loads((tmp_path / "phase4.json").read_text())
    assert set(written["ratios"]) == {pair.name for pair in phase4.RATIOS}
    assert set(written["summaries"]) == {phase4.OFF, phase4.ON, phase4.EVERY}
    assert all(found["rate"] > 0 for found in written["summaries"].values())
