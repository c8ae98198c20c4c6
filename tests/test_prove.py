"""`./learn test` tells what it could not run, and never as passed."""

from pathlib import Path

import pytest

from workbook import prove

OURS = ("-p", "conftest")  # else it is not read for tests that lie elsewhere
TESTS = """
import pytest
@pytest.mark.parametrize("number", range(3))
def test_of_the_moon(number):
    pytest.skip("needs the moon: wait for the night")
def test_of_the_sun():
    pass
"""


def test_what_was_not_run_is_told_with_its_reason_and_in_the_last_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_sky.py").write_text(TESTS)
    assert prove.main(["tests"], [*OURS, str(tmp_path)]) == 0
    told = capfd.readouterr().out
    assert "○ 3 not run (needs the moon: wait for the night)\n" in told
    assert told.splitlines()[-1] == "✓ tests: all green · ○ 3 tests not run, see above"


def test_where_all_was_run_nothing_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_sky.py").write_text(TESTS.partition("@")[0] + "def test_of_the_sun():\n    pass\n")
    assert prove.main(["tests"], [str(tmp_path)]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "✓ tests: all green"
