"""The command line: what it answers to wrong use, and to a server that refuses."""

import json

import pytest

from workbook import cli
from workbook.stack import LocalStack


@pytest.fixture(scope="module")
def stack() -> LocalStack:
    with LocalStack(1) as running:
        yield running


def test_an_unknown_phase_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["up", "--phase", "7"])
    assert end.value.code == 2
    assert "there is no phase 7; there is 1, 2" in capsys.readouterr().err


def test_an_unknown_stage_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["test", "--only", "tets"]) == 2
    assert "no stage tets; there is lint, types" in capsys.readouterr().err


def test_call_lists_what_the_server_offers(stack: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["call", stack["booking-service"].address]) == 0
    assert "CreateBooking(CreateBookingRequest) → CreateBookingResponse" in capsys.readouterr().out


def test_call_makes_a_booking(stack: LocalStack, capsys: pytest.CaptureFixture[str]) -> None:
    wish = json.dumps({"user_id": "ada", "event_id": "e", "ticket_count": 3})
    assert cli.main(["call", stack["booking-service"].address, "booking.BookingService/CreateBooking", wish]) == 0
    assert json.loads(capsys.readouterr().out)["booking"]["ticket_count"] == 3


@pytest.mark.parametrize(
    ("method", "request_text", "said"),
    [
        ("booking.BookingService/CreateBooking", "{}", "INVALID_ARGUMENT: user_id: must be 1 to 64"),
        ("booking.BookingService/CreateBooking", "{nonsense", "the request is not JSON"),
        ("booking.BookingService/CreateBooking", "[1]", "must be a JSON object"),
        ("booking.BookingService/CreateBooking", '{"seats": 1}', "the request is not a booking.CreateBookingRequest"),
        ("booking.BookingService/Create", "{}", "has no method 'Create'; there is CancelBooking"),
        ("Nobody/Nothing", "{}", "no service 'Nobody' here; there is booking.BookingService"),
    ],
)
def test_call_says_what_is_wrong(
    stack: LocalStack, capsys: pytest.CaptureFixture[str], method: str, request_text: str, said: str
) -> None:
    assert cli.main(["call", stack["booking-service"].address, method, request_text]) == 1
    assert said in " ".join(capsys.readouterr().err.split())


def test_call_to_nobody_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["call", "127.0.0.1:9", "a.B/C", "--timeout", "1"]) == 1
    assert "UNAVAILABLE" in capsys.readouterr().err


def test_doctor_finds_the_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    assert "PostgreSQL) 18" in capsys.readouterr().out
