"""PostgreSQL's data folder: made anew when its maker was killed, and a maker that has something to say is heard."""

from pathlib import Path

import pytest

from workbook.part import PartFailed
from workbook.postgres import _make_cluster

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
