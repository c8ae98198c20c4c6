"""The local stack from phase 4 on: traces are kept and figures asked for, unless somebody else does or nobody can."""

from pathlib import Path

import pytest

from workbook.part import PartFailed
from workbook.ports import free_port
from workbook.prometheus import prometheus_part, rule_files
from workbook.stack import LocalStack
from workbook.told import ENDPOINT


def parts_told_of(phase: int, environment: dict[str, str] | None = None) -> tuple[bool, str | None]:
    """Whether the stack runs a receiver, and where its booking service sends traces by the stack's word."""
    told = LocalStack(phase, kafka="embedded", environment=environment).environment_of("booking-service")
    return "TRACES_ADDRESS" in told, told.get(ENDPOINT)


def test_from_phase_4_on_the_stack_keeps_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    own, endpoint = parts_told_of(4)
    assert own
    assert endpoint is not None
    assert endpoint.startswith("http://127.0.0.1:")
    assert parts_told_of(3) == parts_told_of(1) == (False, None)


def test_traces_go_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    jaeger = "http://jaeger.example:4318"
    assert parts_told_of(4, {ENDPOINT: jaeger}) == (False, jaeger)
    monkeypatch.setenv(ENDPOINT, jaeger)  # each part gets it from the shell then
    assert parts_told_of(4) == (False, None)


def test_without_prometheus_the_stack_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PartFailed, match="apt install prometheus"):
        prometheus_part(tmp_path, free_port(), 4, {})


def test_rules_are_those_of_the_phases_so_far() -> None:
    assert rule_files(3) == []
    assert {path.name for path in rule_files(4)} == {"alerts.yml", "recording.yml"}
