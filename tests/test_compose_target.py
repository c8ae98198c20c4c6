"""Which compose file's stack is checked: the phase's own, or the root's, which is the newest phase's as well."""

import os
from pathlib import Path

import pytest

from workbook.checks.compose import Compose
from workbook.phases import newest_composed_phase, phase_folders

LISTED = '{"Service": "booking-service", "State": "running", "Publishers": [{"PublishedPort": 50061}]}'


@pytest.fixture
def only_the_root_is_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\ncase \"$*\" in *' docker-compose.yml ps '*) echo '{LISTED}' ;; esac\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.usefixtures("only_the_root_is_up")
def test_the_root_is_the_newest_composed_phase() -> None:
    stack = Compose(newest_composed_phase())
    assert (stack.problem(), stack.file) == ("", "docker-compose.yml")
    assert stack.addresses() == {"booking-service": "127.0.0.1:50061"}


@pytest.mark.usefixtures("only_the_root_is_up")
def test_the_root_is_no_earlier_phase() -> None:
    earlier = newest_composed_phase() - 1
    assert f"run: docker compose -f {phase_folders()[earlier].name}/compose.yaml up" in Compose(earlier).problem()
