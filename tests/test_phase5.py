"""Phase 5 as processes: who may do what, through kills and restarts, and the checklists of before against all of it."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.waiting import until
from workbook.admin import EMAIL, Admin, admin_of
from workbook.bearer import TOKEN, with_token
from workbook.call import ReflectedServer
from workbook.checklist import run
from workbook.checks.report import Outcome
from workbook.demo import demo
from workbook.part import PartFailed
from workbook.stack import LocalStack

BOOKING, EVENT, USER = "booking-service", "event-service", "user-service"
NEW = {"name": "Jazz", "kind": "concert", "starts_at": "2099-12-31T20:00:00Z", "venue": "Babylon", "capacity": 9}
ADA = {"email": "ada@example.com", "password": "correct horse"}


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(5, kafka="embedded") as running:
        yield running


@pytest.fixture(scope="module")
def admin(stack: LocalStack) -> Admin:
    return admin_of(stack)


def call(stack: LocalStack, service: str, method: str, request: dict[str, Any], token: str | None = None) -> Any:
    carried = (lambda: token) if token else None
    with with_token(grpc.insecure_channel(stack[service].address), carried) as channel:
        return ReflectedServer(channel).call(method, request)


def code(stack: LocalStack, service: str, method: str, request: dict[str, Any], token: str | None = None) -> str:
    try:
        call(stack, service, method, request, token)
    except grpc.RpcError as refusal:
        answer: Any = refusal
        return str(answer.code().name)
    return "OK"


def test_an_admin_puts_on_sale_and_a_customer_books(stack: LocalStack, admin: Admin) -> None:
    create = (EVENT, "event.EventService/CreateEvent", NEW)
    assert code(stack, *create) == "UNAUTHENTICATED"
    event = call(stack, *create, admin.token())["event"]
    ada = call(stack, USER, "user.UserService/Register", {**ADA, "name": "Ada"})["user"]
    token = call(stack, USER, "user.UserService/LogIn", ADA)["session"]["access_token"]
    assert code(stack, *create, token) == "PERMISSION_DENIED"
    wish = {"user_id": ada["id"], "event_id": event["id"], "ticket_count": 2}
    book = (BOOKING, "booking.BookingService/CreateBooking", wish)
    assert call(stack, *book, token)["booking"]["status"] == "CONFIRMED"
    assert code(stack, *book) == "UNAUTHENTICATED"

    stack[USER].kill()  # tokens are verified without it
    assert code(stack, *book, token) == "OK"
    stack[USER].start()
    assert code(stack, USER, "user.UserService/GetUser", {"user_id": ada["id"]}, token) == "OK"  # its key is the same


def test_a_service_that_starts_without_the_user_service_finds_the_keys_later(stack: LocalStack, admin: Admin) -> None:
    token = admin.token()
    listed = (BOOKING, "booking.BookingService/ListUserBookings", {"user_id": "ada"}, token)
    stack[USER].kill()
    stack[BOOKING].restart()
    assert code(stack, *listed) == "UNAVAILABLE"
    stack[USER].start()
    until(lambda: code(stack, *listed) == "OK")


def test_the_demo_books_as_an_admin(stack: LocalStack, admin: Admin, capsys: pytest.CaptureFixture[str]) -> None:
    demo(stack[BOOKING].address, stack[EVENT].address, admin.token)
    said = capsys.readouterr().out
    assert "CONFIRMED" in said
    assert "1 of 3 tickets left" in said
    assert "UNAUTHENTICATED" not in said


def test_without_a_token_the_demo_gets_nowhere(stack: LocalStack) -> None:
    """The control: the services do ask, and it is the token that opens them."""
    with pytest.raises(KeyError):
        demo(stack[BOOKING].address, stack[EVENT].address)


def test_making_an_admin_again_with_another_password_fails_and_changes_none(stack: LocalStack, admin: Admin) -> None:
    with pytest.raises(PartFailed, match="make-admin: ADMIN_EMAIL has an account with another password"):
        stack.step("make-admin", ADMIN_EMAIL=EMAIL, ADMIN_PASSWORD="another password")
    other = {"email": EMAIL, "password": "another password"}
    assert code(stack, USER, "user.UserService/LogIn", other) == "UNAUTHENTICATED"
    admin._until = 0
    assert admin.token()


@pytest.mark.timeout(300)  # 70 checks, on a busy machine
def test_phase_1s_checklist_holds_for_phase_5s_system(
    stack: LocalStack, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, admin.token())
    report = run(1, ",".join(f"{name}={stack[name].address}" for name in (BOOKING, EVENT)))
    assert not report.problem
    assert {check.title: check.said for check in report.checks if check.outcome is Outcome.FAILED} == {}
    assert report.count(Outcome.PASSED) > 70
