"""Task 4.10: the cause of an incident, from what can be seen of it; of the one under way, and of recorded ones."""

from collections.abc import Callable
from typing import Any

from workbook.lesson.task import Task, Wrong
from workbook.props.evidence import Evidence
from workbook.props.faults import Cause
from workbook.props.incident import running
from workbook.props.recorded import recorded
from workbook.props.signs import PARAGRAPHS, against, striking
from workbook.tasks.phase4.wrong_incident import WRONG

FindCause = Callable[[Evidence], Any]
RUNBOOK = "phase4-observability/runbook.md"


def check(cause: FindCause) -> str:
    """First the incident that this notebook began, of which nobody says what it was; then those that were recorded."""
    incident = running()
    if incident is not None:
        claim = _claimed(cause, incident.evidence, "the incident under way")
        if not incident.is_it(claim):
            raise Wrong(f"the incident under way: you say Cause.{claim.name}; {_why_not(claim, incident.evidence)}")
    for number, (right, evidence) in enumerate(recorded(), 1):
        what = f"recorded incident {number} ({right.name})"
        claim = _claimed(cause, evidence, what)
        if claim != right:
            raise Wrong(f"{what}: you say Cause.{claim.name}; {_why_not(claim, evidence)}. It was: {right.value}")
    return f"{_found(incident, cause)}{len(recorded())} recorded incidents, {len(Cause)} causes: each found"


def _claimed(cause: FindCause, evidence: Evidence, what: str) -> Cause:
    try:
        claim = cause(evidence)
    except NotImplementedError:
        raise
    except Exception as error:
        raise Wrong(
            f"{what}: cause raised {type(error).__name__}: {error}. What is not there is a sign, too: a trace may be "
            "incomplete, and a figure that nobody tells is NaN"
        ) from error
    if claim is None:
        raise Wrong(f"{what}: cause gives None. None of its ifs fits what was seen: {striking(evidence)}")
    try:
        return Cause(claim)
    except ValueError:
        names = ", ".join(each.name for each in Cause)
        raise Wrong(f"{what}: cause gives {claim!r}, which is no Cause. There is {names}") from None


def _why_not(claim: Cause, evidence: Evidence) -> str:
    missing = against(claim, evidence)
    return missing or f"that would fit, and something else fits better: {striking(evidence)}"


def _found(incident: Any, cause: FindCause) -> str:
    if incident is None:
        return ""
    found = Cause(cause(incident.evidence))
    return f"it was: {found.value} ({RUNBOOK}#{PARAGRAPHS[found].lower()}). And of "


TASK = Task(
    id="4.10",
    title="The incident",
    names=("cause",),
    hints=(
        (
            "Begin with signs that only one cause has: a service that does not answer, messages that are put aside, no "
            "relay that leads. What is left then? Bookings are slow, or messages stand still: two groups."
        ),
        (
            "Messages stand still: in the outbox (sent_per_second is 0), or behind Kafka (counted_per_second is 0)? "
            "Bookings are slow: compare create_booking_ms with reserve_asked_ms, and that with reserve_answered_ms: "
            "from outside to inside, where does the time get lost?"
        ),
        (
            "In this order, each with `return`: metrics_consumer_up is 0; dead_per_second above 0; relays_that_lead is "
            "0; sent_per_second is 0; counted_per_second is 0; reserve_asked_ms below half of create_booking_ms; "
            "reserve_answered_ms above half of reserve_asked_ms; and what is left."
        ),
    ),
    check=check,
    wrong=WRONG,
)
