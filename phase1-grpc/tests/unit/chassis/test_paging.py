"""Page tokens: what was written reads back, and nothing else makes trouble."""

import base64
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from chassis.errors import InvalidArgument
from chassis.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Position, page_size, read_token, write_token
from hypothesis import given
from hypothesis import strategies as st

POSITIONS = st.builds(
    Position,
    at=st.datetimes(timezones=st.just(UTC)),
    id=st.uuids(),
)


@given(POSITIONS)
def test_a_position_survives_the_round_trip(position: Position) -> None:
    assert read_token(write_token(position)) == position


@given(POSITIONS)
def test_a_token_fits_into_a_url(position: Position) -> None:
    token = write_token(position)
    assert len(token) == 32
    assert token.replace("-", "").replace("_", "").isalnum()


def test_the_token_is_the_same_in_every_time_zone() -> None:
    moment, booking_id = datetime(2026, 11, 22, 12, tzinfo=UTC), uuid.uuid4()
    elsewhere = moment.astimezone(timezone(timedelta(hours=3)))
    assert write_token(Position(elsewhere, booking_id)) == write_token(Position(moment, booking_id))


def test_no_token_is_the_beginning() -> None:
    assert read_token("") is None


GARBAGE = [
    pytest.param("x", id="too short"),
    pytest.param("not a token", id="blanks"),
    pytest.param("a\0b", id="NUL"),
    pytest.param("ş" * 32, id="no ASCII"),
    pytest.param("====", id="only padding"),
    pytest.param("A" * 31, id="one character less"),
    pytest.param("A" * 33, id="one character more"),
    pytest.param("A" * 36, id="four characters more"),
    pytest.param("A" * 1_000_000, id="huge"),
    pytest.param("A" * 32 + "\n", id="a newline at the end"),
    pytest.param(base64.urlsafe_b64encode(b"\x7f" + b"\xff" * 23).decode(), id="a time after the end of time"),
    pytest.param(base64.urlsafe_b64encode(b"\x80" + b"\x00" * 23).decode(), id="a time before its beginning"),
    pytest.param(base64.b64encode(b"\xff" * 24).decode(), id="the same in the other alphabet"),
]


@pytest.mark.parametrize("token", GARBAGE)
def test_garbage_is_an_invalid_argument(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_token(token)
    assert refused.value.field == "page_token"


@given(st.one_of(st.text(), st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_any_text_is_a_position_or_an_invalid_argument(token: str) -> None:
    try:
        position = read_token(token)
    except InvalidArgument:
        return
    assert position is None or write_token(position) == token


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        (0, DEFAULT_PAGE_SIZE),
        (1, 1),
        (MAX_PAGE_SIZE, MAX_PAGE_SIZE),
        (MAX_PAGE_SIZE + 1, MAX_PAGE_SIZE),
        (2**31 - 1, MAX_PAGE_SIZE),
    ],
)
def test_the_size_of_a_page_has_a_default_and_a_most(asked: int, used: int) -> None:
    assert page_size(asked) == used


@pytest.mark.parametrize("asked", [-1, -(2**31)])
def test_a_negative_size_is_refused(asked: int) -> None:
    with pytest.raises(InvalidArgument) as refused:
        page_size(asked)
    assert refused.value.field == "page_size"
