"""A gateway that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from collections.abc import Iterator

import pytest
from tests.checklist.door import Door
from tests.checklist.right_tokens import organiser
from tests.checklist.roadmap_gateway import RoadmapGateway

from workbook.bearer import TOKEN
from workbook.checklist import run
from workbook.checks.report import Outcome, Report

ADDITION = "an addition to the roadmap, see phase5-k8s/README.md"
ADDITIONS = [
    "POST /v1/users and POST /v1/sessions",
    "GET /v1/bookings of one's own",
    "the header Idempotency-Key in POST /v1/bookings of /openapi.json",
    "application/problem+json for refusals",
    "headers for browsers, such as X-Content-Type-Options",
    "an OpenAPI document at /openapi.json",
    "GET /v1/events/{event_id}/availability",
    "GET /healthz",
    "Retry-After in a 429",
]


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    door = Door(RoadmapGateway())
    door.open()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, organiser())
        yield run(5, f"gateway={door.address}", deadline=20)
    door.close()


def said(report: Report, outcome: Outcome) -> set[str]:
    return {check.said for check in report.checks if check.outcome is outcome and check.box.startswith("5.2")}


def test_nothing_of_it_is_wrong(report: Report) -> None:
    assert said(report, Outcome.FAILED) == set()
    assert report.status == 0


def test_what_it_has_is_passed(report: Report) -> None:
    passed = {check.title.split(":")[0] for check in report.checks if check.outcome is Outcome.PASSED}
    assert passed >= {
        "Events are listed, with the tickets left",
        "An event is shown by its id, and what nobody has is not",
        "Who books has a booking, and the tickets left are fewer",
        "A booking that is cancelled gives its tickets back, once",
        "More tickets than are left are not sold",
        "A body that is no JSON, or not an object, is refused, and nothing is booked",
        "A booking with a wrong field is refused, and nothing is booked",
        "No answer tells what is inside",
        "Without a token nothing is booked, seen or cancelled",
        "A token that somebody made up is none",
        "Who asks too often is told so, with 429",
    }


def test_what_it_lacks_is_named(report: Report) -> None:
    assert said(report, Outcome.NOT_RUN) == {
        *(f"needs {what}: {ADDITION}" for what in ADDITIONS),
        "needs /.well-known/jwks.json",
    }
