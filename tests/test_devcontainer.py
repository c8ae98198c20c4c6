"""The dev container, as far as that can be seen without one: it is valid, and what it calls and opens is there."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from workbook.cli import parser
from workbook.phases import ROOT
from workbook.ports import STANDARD, WATCHING

CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def commands(container: dict[str, Any]) -> list[str]:
    """All that it runs by itself, at each of the moments that the specification knows."""
    moments = [container[moment] for moment in container if moment.endswith("Command")]
    return [command for each in moments for command in (each.values() if isinstance(each, dict) else [each])]


def understood(command: str) -> bool:
    """Whether it is a command of ./learn, with arguments that it takes."""
    program, *arguments = shlex.split(command)
    if program != "./learn" or not (ROOT / program).is_file():
        return False
    try:
        parser().parse_args(arguments)
    except SystemExit:
        return False
    return True


def test_its_commands_are_understood() -> None:
    assert commands(CONTAINER) == ["./learn doctor", "./learn lab --no-browser"]
    assert [command for command in commands(CONTAINER) if not understood(command)] == []


@pytest.mark.parametrize("wrong", ["./learn docter", "./learn lab --nobrowser", "pip install jupyterlab"])
def test_a_wrong_command_would_be_seen(wrong: str) -> None:
    assert commands({"postStartCommand": {"a": wrong}, "image": "x"}) == [wrong]
    assert not understood(wrong)


def test_its_ports_are_those_that_the_workbook_opens() -> None:
    lab = parser().parse_args(["lab"])
    assert lab.runner is not None
    known = {lab.port, STANDARD["api-gateway"], WATCHING["prometheus"]}
    assert set(CONTAINER["forwardPorts"]) == known
    assert {int(port) for port in CONTAINER["portsAttributes"]} == known


def test_its_python_is_one_that_ci_tests() -> None:
    image = re.fullmatch(r"python:(3\.\d+)-\w+", CONTAINER["image"])
    assert image, "the image has no exact Python"
    tested = re.search(r"python: (\[.*\])", Path(ROOT, ".github/workflows/ci.yml").read_text())
    assert tested
    assert image[1] in json.loads(tested[1])
