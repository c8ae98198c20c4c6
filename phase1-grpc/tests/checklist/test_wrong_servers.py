"""The checklist, proved: the right server passes, each wrong one fails in one box, and the board names its mistake."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from tests.checklist.kinds import failed_kinds, kind_of
from tests.checklist.scripts import restart_command, wrong_servers

from workbook.checklist import run
from workbook.checks.report import Outcome, Report

KILLED = "1.3"  # the box that needs a restart: it takes time, so servers that are wrong elsewhere are not killed
AT_ONCE = 4  # a checklist waits for its server some of the time, so a few more than there are cores

WRONG: Mapping[str, tuple[str, list[str]]] = {
    "lacks_list": ("1.1", ["/booking.BookingService/ListUserBookings answered UNIMPLEMENTED"]),
    "adds_one_ticket": ("1.1", ["was sent ticket_count 3 and answered a booking with ticket_count 4"]),
    "answers_four_callers_and_is_never_serving": (
        "1.2",
        [
            "ListUserBookings by client 4 of 8, all connected answered RESOURCE_EXHAUSTED",
            "grpc.health.v1.Health/Check answered NOT_SERVING",
        ],
    ),
    "dies_when_callers_leave": ("1.2", ["CreateBooking after 30 callers hung up: the server crashed"]),
    "dies_on_garbage": ("1.2", ["CreateBooking with bytes that are no message: the server crashed"]),
    "runs_out_of_connections": ("1.3", ["CreateBooking with 128 calls in flight answered INTERNAL"]),
    "knows_only_its_own_callers": ("1.3", ["GetBooking over another connection answered NOT_FOUND"]),
    "forgets_all": ("1.3", ["GetBooking made before the server was killed answered NOT_FOUND"]),
    "forgets_the_latest": ("1.3", ["GetBooking acknowledged around the time the server was killed answered NOT_FOUND"]),
    "forgets_cancellations": (
        "1.3",
        ["status of a booking was 'CANCELLED' and is 'CONFIRMED' after the server was killed"],
    ),
    "counts_ids_in_memory": ("1.3", ["after a restart CreateBooking gave ids a second time"]),
    "is_careless": (
        "1.4",
        [
            "CreateBooking answered status 'confirmed'",
            "created_at of a new booking is +3.0 hours from now",
            "GetBooking answered event_id '' for a booking made with",
            "GetBooking of an unknown id answered INVALID_ARGUMENT",
            "then again for another reason, has the reason 'another reason'",
        ],
    ),
    "reuses_ids": ("1.4", ["CreateBooking gave the id"]),
    "answers_nothing_for_unknown": ("1.4", ["GetBooking of an unknown id answered OK"]),
    "hangs_on_unknown": ("1.4", ["GetBooking of an unknown id did not answer within its deadline"]),
    "lists_everybody": ("1.4", ["ListUserBookings of one user has bookings of others"]),
    "lists_by_prefix": ("1.4", ["ListUserBookings of one user has bookings of others"]),
    "lists_two_at_most": ("1.4", ["ListUserBookings lacks 1 of the user's 3 bookings"]),
    "lists_twice_oldest_first": (
        "1.4",
        ["ListUserBookings has 3 bookings more than once", "ListUserBookings is not in the order newest first"],
    ),
    "pages_carelessly": (
        "1.4",
        [
            "ListUserBookings of a user without bookings answered NOT_FOUND",
            "ListUserBookings with page_size 2 of 3 bookings answered 3",
            "ListUserBookings answered INVALID_ARGUMENT",
        ],
    ),
    "turns_pages_by_offset": ("1.4", ["bookings when a new one is made between two pages"]),
    "never_ends_pages": ("1.4", ["ListUserBookings has a next page, and nothing new on it"]),
    "cancels_nothing": ("1.4", ["CancelBooking answered success, and GetBooking still says 'CONFIRMED'"]),
    "cancels_anything_and_all_of_the_user": (
        "1.4",
        [
            "CancelBooking cancelled another booking of the same user too",
            "CancelBooking of an unknown id answered success",
        ],
    ),
    "cancels_once": ("1.4", ["CancelBooking of a cancelled booking answered FAILED_PRECONDITION"]),
    "deletes_cancelled": ("1.4", ["GetBooking of a cancelled booking answered NOT_FOUND"]),
    "accepts_zero_tickets": ("1.5", ["CreateBooking with ticket_count 0 answered OK"]),
    "accepts_negative_tickets": ("1.5", ["CreateBooking with ticket_count -1 answered OK"]),
    "trusts_callers": (
        "1.5",
        [
            "CreateBooking with ticket_count 2147483647 answered OK",
            "CreateBooking with user_id blank answered OK",
            "CreateBooking with user_id a NUL inside answered INTERNAL",
            "CancelBooking of a malformed id (a word) answered success",
            "ListUserBookings with user_id empty answered 1 bookings",
            "ListUserBookings with a page_token it never gave out answered OK",
        ],
    ),
    "fails_on_malformed_id": ("1.5", ["GetBooking of a malformed id (a word) answered INTERNAL"]),
    "dies_on_malformed_id": ("1.5", ["GetBooking of a malformed id (empty): the server crashed"]),
    "races_for_ids": ("1.5", ["20 calls of CreateBooking at once got"]),
    "ignores_keys": ("1.5", ["CreateBooking called again with the same idempotency_key made a second booking"]),
    "loses_races": (
        "1.5",
        [
            "20 calls at once with the same idempotency_key made",
            "CancelBooking with 20 calls for one booking at once answered FAILED_PRECONDITION",
        ],
    ),
    "mixes_up_keys": (
        "1.5",
        [
            "CreateBooking with a used idempotency_key and another event_id answered OK",
            "CreateBooking with a key that another user has used answered the other user's booking",
        ],
    ),
    "brings_back": ("1.5", ["CreateBooking with the key of a cancelled booking turned the cancelled booking into"]),
}
"""By server: the box that must fail, and words that its board must say."""


@pytest.fixture(scope="module")
def boards(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Report]"]]:
    """The checklist's report on each server, as it becomes ready. A server that dies gets a process of its own."""
    cases = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    chosen = [case["name"] for case in cases if case.get("name") in WRONG]
    mortal = [name for name in chosen if name.startswith("dies")]
    together = ["right", *(name for name in chosen if name not in mortal)]
    with ExitStack() as servers, ThreadPoolExecutor(AT_ONCE) as pool:
        running = {}
        for names in [together, *([name] for name in mortal)]:
            folder = tmp_path_factory.mktemp("servers")
            for name, target in servers.enter_context(wrong_servers(folder, names)).items():
                restart = restart_command(folder, name) if name == "right" or WRONG[name][0] == KILLED else None
                running[name] = pool.submit(run, 1, target, restart)
        yield running
        for report in running.values():  # after a failure that ends the session early
            report.cancel()


def test_right_server_passes(boards: Mapping[str, "Future[Report]"]) -> None:
    report = boards["right"].result()
    assert not report.problem
    assert {check.outcome for check in report.checks} == {Outcome.PASSED}, _told(report)
    assert report.status == 0


@pytest.mark.parametrize("name", WRONG)
def test_wrong_server_fails(boards: Mapping[str, "Future[Report]"], name: str) -> None:
    report = boards[name].result()
    box, words = WRONG[name]
    assert not report.problem
    assert {check.box.split()[0] for check in report.checks if check.outcome is Outcome.FAILED} == {box}, _told(report)
    assert all(said in _told(report) for said in words), _told(report)
    assert all(check.todo for check in report.checks if check.outcome is Outcome.FAILED)
    assert report.status == 1


def _told(report: Report) -> str:
    """Everything that was not passed, failures with their box."""
    return "\n".join(
        f"{check.outcome} {check.box}: {check.said}" for check in report.checks if check.outcome is not Outcome.PASSED
    )


def test_every_check_can_fail(boards: Mapping[str, "Future[Report]"]) -> None:
    failed = failed_kinds(report.result() for report in boards.values())
    elsewhere = {("1.1", "The message has the roadmap's fields, numbers and types")}  # see test_roadmap_server.py
    assert {kind_of(check) for check in boards["right"].result().checks} - failed == elsewhere
