"""A server that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from tests.checklist.scripts import roadmap_server

from workbook.checklist import run
from workbook.checks.report import Check, Outcome


def told(checks: list[Check], outcome: Outcome) -> set[str]:
    return {check.said for check in checks if check.outcome is outcome}


def test_it_passes_and_hears_what_it_lacks() -> None:
    with roadmap_server() as target:
        report = run(1, target)
    assert not told(report.checks, Outcome.FAILED)
    assert report.status == 0
    assert {words.split(",")[0].split(":")[0] for words in told(report.checks, Outcome.NOT_RUN)} == {
        "needs grpc.health.v1.Health",
        "needs --restart COMMAND",
        "needs page_size",
        "needs page_token in ListUserBookingsRequest",
        "needs reason in CancelBookingRequest",
        "needs idempotency_key in CreateBookingRequest",
    }


def test_a_wrong_field_number_is_seen() -> None:
    with roadmap_server("renumbered") as target:
        report = run(1, target)
    wrong = "CancelBookingResponse should have `string message = 2` and has `string message = 3`"
    assert told(report.checks, Outcome.FAILED) == {wrong}
    assert [box.name.split()[0] for box in report.boxes if box.outcome is Outcome.FAILED] == ["1.1"]


def test_without_reflection_the_additions_are_taken_to_be_there() -> None:
    with roadmap_server("hidden") as target:
        report = run(1, target)
    needs = "needs server reflection; without it, what this workbook adds to the roadmap is taken to be there"
    assert needs in told(report.checks, Outcome.NOT_RUN)
    again = "CreateBooking called again with the same idempotency_key made a second booking"
    assert again in told(report.checks, Outcome.FAILED)
