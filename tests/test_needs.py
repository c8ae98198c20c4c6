"""A test whose need is not met is skipped by name, and failed where WORKBOOK_REQUIRE says that it must be met."""

import subprocess
import sys

import pytest

from workbook.needs import NEEDS, REDIS, Need, images_by_phase, needs, public_images
from workbook.phases import ROOT, phase_folders

HERE = Need("a thing that is here", "", lambda: True)
GONE = Need("a moon", "wait for the night", lambda: False)


@pytest.fixture(autouse=True)
def two_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NEEDS, "here", HERE)
    monkeypatch.setitem(NEEDS, "moon", GONE)
    monkeypatch.delenv("WORKBOOK_REQUIRE", raising=False)


def test_what_is_here_lets_the_test_go_on() -> None:
    needs("here")


def test_what_is_missing_skips_with_what_to_do() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"^needs a moon: wait for the night$"):
        needs("here", "moon")


@pytest.mark.parametrize("required", ["moon", "docker, moon", "all"])
def test_what_is_required_fails(required: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="moon must be here: needs a moon"):
        needs("moon")


def test_another_requirement_still_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_REQUIRE", "docker")
    with pytest.raises(pytest.skip.Exception):
        needs("moon")


def test_the_images_are_those_the_files_name() -> None:
    assert public_images("Dockerfile", "phase1-grpc/compose.yaml") == ["python:3.13-slim", "postgres:18.4"]


def test_a_phase_needs_the_images_of_those_before_it_too() -> None:
    by_phase = images_by_phase()
    assert set(by_phase) == {number for number, folder in phase_folders().items() if (folder / "compose.yaml").exists()}
    assert by_phase[1] == public_images("Dockerfile", "phase1-grpc/compose.yaml")
    assert all(set(by_phase[phase - 1]) <= set(by_phase[phase]) for phase in by_phase if phase > 1)


def test_it_can_be_asked_before_anything_is_installed() -> None:
    program = "import sys; sys.path.insert(0, '.'); from workbook.needs import main; main(['images'])"
    asked = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"postgres:18.4", REDIS} <= set(asked.stdout.split())
