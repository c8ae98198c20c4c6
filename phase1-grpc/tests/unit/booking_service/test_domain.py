"""The rules of bookings: legal moves, and what a wish for tickets may look like."""

import dataclasses
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from booking_service.domain import (
    MAX_REASON,
    MAX_TICKETS,
    MOVES,
    Booking,
    BookingNotFound,
    KeyReused,
    NewBooking,
    Status,
    check_booking_id,
    check_name,
    check_reason,
    origins,
)
from chassis.errors import AlreadyExists, InvalidArgument, NotFound
from hypothesis import given
from hypothesis import strategies as st

LEGAL = {
    (Status.PENDING, Status.CONFIRMED),
    (Status.PENDING, Status.CANCELLED),
    (Status.CONFIRMED, Status.CANCELLED),
}
BAD_NAMES = [
    pytest.param("", id="empty"),
    pytest.param(" ", id="blank"),
    pytest.param("ada lovelace", id="a space inside"),
    pytest.param("ada\n", id="a newline at the end"),
    pytest.param("\tada", id="a tab"),
    pytest.param("a\0da", id="NUL"),
    pytest.param("\x1b[31mada", id="a control sequence"),
    pytest.param("x" * 65, id="too long"),
    pytest.param("x" * 1_000_000, id="huge"),
    pytest.param("Çağla", id="letters beyond ASCII"),
    pytest.param("аda", id="a Cyrillic letter that looks like a"),  # noqa: RUF001 - that is the point
    pytest.param("٤٢", id="digits of another script"),
    pytest.param("🎫", id="an emoji"),
    pytest.param("\u200bada", id="an invisible space"),
    pytest.param("ada'; DROP TABLE bookings; --", id="SQL"),
    pytest.param("../../etc/passwd", id="a path"),
]


def wish(**changes: Any) -> NewBooking:
    return NewBooking(**{"user_id": "ada", "event_id": "concert", "ticket_count": 2, **changes})


def booking(**changes: Any) -> Booking:
    now = datetime.now(UTC)
    made = Booking(uuid.uuid4(), "ada", "concert", 2, Status.PENDING, "", "key", now, now)
    return dataclasses.replace(made, **changes)


@pytest.mark.parametrize("start", Status)
@pytest.mark.parametrize("target", Status)
def test_only_the_legal_moves_are_there(start: Status, target: Status) -> None:
    assert (target in MOVES[start]) is ((start, target) in LEGAL)
    assert (start in origins(target)) is ((start, target) in LEGAL)


def test_no_walk_of_moves_ever_comes_back() -> None:
    def reachable(status: Status) -> set[Status]:
        return set(MOVES[status]) | {further for target in MOVES[status] for further in reachable(target)}

    assert all(status not in reachable(status) for status in Status)


@pytest.mark.parametrize("field", ["user_id", "event_id"])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_bad_name_is_refused_by_field(field: str, name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        wish(**{field: name})
    assert refused.value.field == field
    assert str(refused.value) == f"{field}: must be 1 to 64 letters, digits or . _ : @ -"  # without what was sent


@pytest.mark.parametrize("name", ["a", "x" * 64, "A1._:@-", "ada@example.com", "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"])
def test_a_good_name_is_taken_as_it_is(name: str) -> None:
    assert check_name("user_id", name) == name
    assert wish(user_id=name, event_id=name).user_id == name


@given(st.text())
def test_any_text_is_a_name_or_an_invalid_argument(text: str) -> None:
    try:
        taken = check_name("user_id", text)
    except InvalidArgument:
        return
    assert taken.isascii()
    assert taken.isprintable()
    assert 1 <= len(taken) <= 64


@pytest.mark.parametrize("count", [0, -1, MAX_TICKETS + 1, 2**31 - 1, -(2**31)])
def test_a_bad_number_of_tickets_is_refused(count: int) -> None:
    with pytest.raises(InvalidArgument, match=f"not {count}$") as refused:
        wish(ticket_count=count)
    assert refused.value.field == "ticket_count"


@pytest.mark.parametrize("count", range(1, MAX_TICKETS + 1))
def test_every_number_of_tickets_in_between_is_fine(count: int) -> None:
    assert wish(ticket_count=count).ticket_count == count


@pytest.mark.parametrize("key", ["", " ", "a b", "a\0b", "a\n", "çok", "x" * 129, "\x7f", "🎫"])
def test_a_bad_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        wish(key=key)
    assert refused.value.field == "idempotency_key"


@pytest.mark.parametrize("key", [None, "k", "x" * 128, "!~\"'\\;--", "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"])
def test_a_key_is_optional_and_any_visible_ascii(key: str | None) -> None:
    assert wish(key=key).key == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "17",
        "not-a-uuid",
        "4fd5e2b65bbb4b4e8c5e0a1e6c3f9d21",
        "{4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21}",
        "urn:uuid:4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
        "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d2",
        "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21\n",
        " 4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
        "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d2g",
        "٤fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
        "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21\0",
        "4fd5e2b6_5bbb_4b4e_8c5e_0a1e6c3f9d21",
        "x" * 1_000_000,
    ],
)
def test_a_malformed_booking_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_booking_id(text)
    assert refused.value.field == "booking_id"


@given(st.uuids())
def test_a_booking_id_reads_back_in_either_case(booking_id: uuid.UUID) -> None:
    assert check_booking_id(str(booking_id)) == booking_id
    assert check_booking_id(str(booking_id).upper()) == booking_id


@given(st.text())
def test_any_text_is_a_booking_id_or_an_invalid_argument(text: str) -> None:
    with pytest.raises(InvalidArgument):
        check_booking_id(text)


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON + 1), "a\0b", "two\nlines", "\x1b[31mred", "\u202eright to left"])
def test_a_bad_reason_is_refused(reason: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_reason(reason)
    assert refused.value.field == "reason"


@pytest.mark.parametrize("reason", ["", "hasta oldum 🤒", "x" * MAX_REASON, "ş" * MAX_REASON, "🎫" * MAX_REASON])
def test_a_reason_may_be_any_printable_text(reason: str) -> None:
    assert check_reason(reason) == reason


def test_a_booking_answers_the_wish_it_was_made_for() -> None:
    held = booking()
    assert held.answers(wish(key="key")) is held


@pytest.mark.parametrize("changed", [{"event_id": "opera"}, {"ticket_count": 3}])
def test_a_key_stands_for_one_wish_only(changed: dict[str, Any]) -> None:
    with pytest.raises(KeyReused) as refused:
        booking().answers(wish(key="key", **changed))
    assert isinstance(refused.value, AlreadyExists)
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


def test_what_is_not_found_is_named() -> None:
    missing = BookingNotFound(uuid.UUID(int=7))
    assert isinstance(missing, NotFound)
    assert str(uuid.UUID(int=7)) in str(missing)


def test_bookings_do_not_change_under_their_holder() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        booking().status = Status.CONFIRMED  # type: ignore[misc]  # the type checker knows it too
