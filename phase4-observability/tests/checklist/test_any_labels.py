"""Requests are read by method and code whatever a server calls its labels, and however it writes what they say."""

import pytest
from checklist.callers import Ended
from checklist.outcomes import in_contract, requests, tells_codes
from checklist.page import series
from checklist.tallies import all_counted, statuses_right, total_grown

NAME = "grpc_requests_total"
METHODS = ("CreateBooking", "GetBooking")
PAGE = "booking-metrics"


@pytest.mark.parametrize(
    "labels",
    [
        {"side": "server", "method": "booking.BookingService/GetBooking", "code": "NOT_FOUND"},
        {"grpc_service": "booking.BookingService", "grpc_method": "GetBooking", "grpc_code": "NotFound"},
        {"rpc": "/booking.BookingService/GetBooking", "grpc_status": "5"},
        {"handler": "BookingService.GetBooking", "result": "not found"},
    ],
)
def test_a_method_and_a_code_are_known(labels: dict[str, str]) -> None:
    assert requests({series(NAME, **labels): 3}, METHODS) == {("GetBooking", "NOT_FOUND"): 3}


@pytest.mark.parametrize("status", ["ok", "error"])
def test_ok_and_error_are_no_codes(status: str) -> None:
    shown = {series(NAME, method="GetBooking", status=each): 1 for each in ("ok", "error")}
    assert not tells_codes(requests(shown, METHODS))
    assert not in_contract({series(NAME, method="GetBooking", status=status): 1})


def test_what_another_service_was_asked_is_not_counted() -> None:
    shown = {
        series(NAME, side="server", method="booking.BookingService/GetBooking", code="OK"): 2,
        series(NAME, side="client", method="event.EventService/GetEvent", code="OK"): 7,
        series(NAME, side="server", method="grpc.health.v1.Health/Check", code="OK"): 9,
    }
    assert requests(shown, METHODS) == {("GetBooking", "OK"): 2}


def test_without_labels_all_requests_are_counted_together() -> None:
    before, after = {PAGE: {series(NAME): 4}}, {PAGE: {series(NAME): 7}}
    assert requests(after[PAGE], METHODS) == {("", ""): 7}
    assert all_counted(PAGE, before, after, _ended(3))
    assert not all_counted(PAGE, before, after, _ended(4))


def _ended(times: int) -> Ended:
    return Ended({("GetBooking", "OK"): times})


@pytest.mark.parametrize(
    ("labels", "grown"),
    [({"status": "confirmed"}, 2), ({"state": "CONFIRMED"}, 2), ({"status": "pending"}, 2), ({}, 2)],
)
def test_bookings_are_counted_by_whatever_status(labels: dict[str, str], grown: int) -> None:
    shown = {series("bookings_total", **labels): 5}
    assert total_grown({PAGE: {}}, {PAGE: shown}, 5) == 5
    assert total_grown({PAGE: {series("bookings_total", **labels): 3}}, {PAGE: shown}, grown) == grown


@pytest.mark.parametrize(
    ("confirmed", "cancelled", "right"),
    [(3, 2, True), (5, 2, True), (3, 3, True), (4, 2, False), (5, 0, False), (3, 4, False)],
)
def test_how_many_there_are_and_how_many_there_were_are_both_right(
    confirmed: int, cancelled: int, *, right: bool
) -> None:
    """Of five that were sold two were cancelled, and one was refused."""
    by = {"confirmed": confirmed, "cancelled": cancelled}
    after = {PAGE: {series("bookings_by_status", status=status): count for status, count in by.items()}}
    assert statuses_right({PAGE: {}}, after, sold=5, cancelled=2, refused=1) is right
