"""A system that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from pathlib import Path

from tests.checklist.programs import roadmap_system

from workbook.checklist import run
from workbook.checks.probe import silence
from workbook.checks.report import Check, Outcome
from workbook.checks.targets import open_target


def told(checks: list[Check], outcome: Outcome) -> set[str]:
    return {check.said for check in checks if check.outcome is outcome}


def test_it_passes_and_hears_what_it_lacks(tmp_path: Path) -> None:
    with roadmap_system(tmp_path) as target:
        report = run(2, target, pause=f"kill -$SIGNAL $(cat {tmp_path}/$SERVICE.pid)")
    assert not told(report.checks, Outcome.FAILED)
    assert report.status == 0
    assert {words.split(",")[0].split(":")[0] for words in told(report.checks, Outcome.NOT_RUN)} == {
        *(f"needs {method}" for method in ("UpdateEvent", "DeleteEvent", "ReserveTickets", "WatchAvailability")),
        "needs venue",
        "needs venue in ListEventsRequest",
        "needs operation_id in UpdateTicketsRequest",
        "needs google.rpc.ErrorInfo in a refusal",
        "needs idempotency_key in CreateBookingRequest",
        "needs grpc.health.v1.Health",
        "needs --restart COMMAND",
        "needs the databases",
    }


def test_a_paused_process_is_silent_and_goes_on(tmp_path: Path) -> None:
    pause = f"kill -$SIGNAL $(cat {tmp_path}/$SERVICE.pid)"
    with (
        roadmap_system(tmp_path) as target,
        open_target(2, target, None, pause, patience=5, progress=lambda _: None) as system,
    ):
        address = system.address("event-service")
        with system.paused("event-service"):
            assert "answer" in silence(address, 0.2)
        assert silence(address, 5) == ""


def test_what_it_has_was_checked(tmp_path: Path) -> None:
    with roadmap_system(tmp_path) as target:
        report = run(2, target)
    passed = {check.title for check in report.checks if check.outcome is Outcome.PASSED}
    assert {
        "ListEvents has every event once, soonest first",
        "Many who withdraw at once get no more tickets than there are, and all there are",
        "A booking takes its tickets from its event, and from no other",
        "A booking whose tickets were refused is CANCELLED, if it is there at all",
        "Many buyers at once, of several tickets each, never get more than there are",
        "Cancelling one booking many times at once gives its tickets back once",
    } <= passed
    assert "needs --pause COMMAND" in "".join(told(report.checks, Outcome.NOT_RUN))


def test_a_wrong_field_number_is_seen(tmp_path: Path) -> None:
    with roadmap_system(tmp_path, "renumbered") as target:
        report = run(2, target)
    wrong = "UpdateTicketsRequest should have `int32 change = 2` and has `int32 change = 4`"
    assert wrong in told(report.checks, Outcome.FAILED)
    assert {box.name[:3] for box in report.boxes if box.outcome is Outcome.FAILED} == {"2.1"}


def test_the_event_service_alone_can_be_checked(tmp_path: Path) -> None:
    with roadmap_system(tmp_path) as target:
        report = run(2, target.split(",")[1])
    assert not told(report.checks, Outcome.FAILED)
    elsewhere = "needs the address of booking-service: --target booking-service=HOST:PORT,…"
    assert elsewhere in told(report.checks, Outcome.NOT_RUN)
