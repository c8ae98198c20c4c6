"""The incident of lesson 4: each fault shows in the signals that betray it and in no other's, and is undone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from workbook.lesson.task import Wrong
from workbook.part import Part, Program
from workbook.phases import ROOT
from workbook.props.evidence import Evidence
from workbook.props.faults import Cause
from workbook.props.incident import Incident, NotWell, begin, running, until_well
from workbook.props.recorded import recorded
from workbook.props.signs import PARAGRAPHS, SIGNS, against
from workbook.stack import LocalStack
from workbook.tasks.phase4.t10_incident import TASK
from workbook.tasks.phase4.wrong_incident import RIGHT


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(4, environment={"OTEL_BSP_SCHEDULE_DELAY": "200"}) as stack:
        yield stack


@pytest.mark.parametrize("cause", Cause)
def test_a_fault_shows_where_it_should_and_is_undone(stack: LocalStack, cause: Cause) -> None:
    incident = shown(stack, cause)
    assert running() is incident
    assert only(cause, incident.evidence)
    assert solution()(incident.evidence) == cause
    assert cause not in told(incident, next(other for other in Cause if other != cause))
    assert incident.end() is cause  # and the system is well again, or this raises
    assert running() is None


def test_a_system_that_is_not_well_is_left_alone(stack: LocalStack) -> None:
    stack["metrics-consumer"].pause()
    with pytest.raises(NotWell, match="metrics-consumer is paused"):
        until_well(stack, patience=0)
    stack["metrics-consumer"].resume()


def test_a_copy_that_a_lesson_had_is_no_part_of_it(stack: LocalStack, tmp_path: Path) -> None:
    never_ready = Program(argv=[], ready=lambda: False)
    stack.parts["booking-service-2"] = Part("booking-service-2", "127.0.0.1:1", never_ready, tmp_path / "log")
    until_well(stack)
    del stack.parts["booking-service-2"]


@pytest.mark.parametrize(("cause", "evidence"), recorded(), ids=lambda each: each if isinstance(each, str) else "")
def test_a_recorded_incident_is_told_from_all_others(cause: Cause, evidence: Evidence) -> None:
    assert only(cause, evidence)


def test_each_cause_was_recorded() -> None:
    assert {cause for cause, _ in recorded()} == set(SIGNS) == set(Cause)


def test_each_cause_has_its_paragraph_in_the_runbook() -> None:
    runbook = (ROOT / "phase4-observability" / "runbook.md").read_text()
    assert set(PARAGRAPHS) == set(Cause)
    assert not [name for name in PARAGRAPHS.values() if f"\n## {name}\n" not in runbook]


def shown(stack: LocalStack, cause: Cause) -> Incident:
    """The incident, looked at once more and for longer where not all of it is seen at once: on a busy machine."""
    incident = begin(stack, cause, before=0.5, during=1.5)
    if fitting(incident.evidence) == [cause]:
        return incident
    return begin(stack, cause, before=0.5, during=8)  # ends the one before


def solution() -> Callable[[Evidence], Cause]:
    found: dict[str, Any] = {"Cause": Cause}
    exec(f"def cause(evidence):\n{RIGHT}", found)  # noqa: S102 - our own
    return cast("Callable[[Evidence], Cause]", found["cause"])


def told(incident: Incident, claim: Cause) -> str:
    """What the check says to this answer while the incident is under way."""
    with pytest.raises(Wrong, match=f"the incident under way: you say Cause.{claim.name}; then") as wrong:
        TASK.check(lambda evidence: claim if evidence is incident.evidence else solution()(evidence))
    return str(wrong.value)


def only(cause: Cause, evidence: Evidence) -> bool:
    """Whether this cause, and no other one, fits what was seen; says what does not fit."""
    missing = against(cause, evidence)
    assert not missing, missing
    return fitting(evidence) == [cause]


def fitting(evidence: Evidence) -> list[Cause]:
    return [claim for claim in Cause if not against(claim, evidence)]
