"""PostgreSQL's data folder: made anew when its maker was killed, one with something to say is heard."""

import shutil
from pathlib import Path

import pytest

from workbook.part import PartFailed
from workbook.ports import free_port
from workbook.postgres import _make_cluster, connect, postgres_part
from workbook.run_folder import claim_folder

KILLED_ONCE = """#!/bin/sh
[ -e killed ] || { touch killed "$2/half"; kill -9 $$; }
touch "$2/PG_VERSION"
"""
REFUSES = """#!/bin/sh
touch asked-$$
echo "initdb: error: no room" >&2
exit 1
"""


def initdb(folder: Path, script: str) -> Path:
    (folder / "initdb").write_text(script)
    (folder / "initdb").chmod(0o755)
    return folder


def test_whoever_was_killed_making_it_is_followed_by_another_from_nothing(tmp_path: Path) -> None:
    _make_cluster(initdb(tmp_path, KILLED_ONCE), tmp_path / "data", None)
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["PG_VERSION"]


def test_a_refusal_is_told_and_not_tried_again(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match=r"\(exit 1\)(.|\n)*no room"):
        _make_cluster(initdb(tmp_path, REFUSES), tmp_path / "data", None)
    assert len(list(tmp_path.glob("asked-*"))) == 1


def test_its_time_zone_is_not_that_of_the_shell_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Istanbul")
    with claim_folder() as lock:
        part = postgres_part(Path(lock.name).parent, free_port())
        try:
            part.start()
            with connect(part.address) as connection:
                written = "SELECT setting FROM pg_file_settings WHERE lower(name) = 'timezone'"
                assert connection.execute(written).fetchone() == ("Europe/Istanbul",)  # else there is nothing to see
                assert connection.execute("SHOW TimeZone").fetchone() == ("UTC",)
        finally:
            part.stop()
            shutil.rmtree(Path(lock.name).parent, ignore_errors=True)
