"""Fields are taken literally: what looks like the right thing is not the right thing."""

from datetime import UTC, datetime

import pytest
from api_gateway.events import EventChanges, NewEvent
from api_gateway.fields import Flag, Moment, PageSize, timestamp
from pydantic import TypeAdapter, ValidationError

NEW = {"name": "Jazz", "kind": "concert", "starts_at": "2027-01-01T20:00:00+03:00", "venue": "Babylon", "capacity": 5}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-05-01T20:00:00Z", datetime(2026, 5, 1, 20, tzinfo=UTC)),
        ("2026-05-01t20:00:00z", datetime(2026, 5, 1, 20, tzinfo=UTC)),
        ("2026-05-01T20:00:00.123456789+03:00", datetime(2026, 5, 1, 17, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_as_rfc_3339_has_it(written: str, moment: datetime) -> None:
    assert TypeAdapter(Moment).validate_python(written) == moment


@pytest.mark.parametrize(
    "written",
    ["2026-05-01", "2026-05-01T20:00:00", "20260501T200000Z", "2026-02-30T00:00:00Z", "2026-W01-1", "now", "", 5, None,
     "\uff12026-05-01T20:00:00Z", "2026-05-01T20:00:00Z\n", "2026-05-01T24:00:00+99:99"],
)  # fmt: skip
def test_anything_else_is_no_time(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(written)


@pytest.mark.parametrize("written", ["+5", " 5", "5.0", "1_0", "\u0665", "0", "101", "", "05", "1" * 5000])
def test_a_number_in_a_query_is_digits(written: str) -> None:
    assert TypeAdapter(PageSize).validate_python("5") == 5
    with pytest.raises(ValidationError):
        TypeAdapter(PageSize).validate_python(written)


@pytest.mark.parametrize("written", ["1", "yes", "TRUE", "on", ""])
def test_true_is_true(written: str) -> None:
    assert TypeAdapter(Flag).validate_python("true") is True
    with pytest.raises(ValidationError):
        TypeAdapter(Flag).validate_python(written)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capacity": "5"},
        {"capacity": 5.5},
        {"capacity": True},
        {"name": "\ud800"},
        {"name": None},
        {"id": "x"},
        {"kind": "x"},
    ],
)
def test_a_body_is_strict(wrong: dict[str, object]) -> None:
    assert NewEvent.model_validate(NEW).capacity == 5
    with pytest.raises(ValidationError):
        NewEvent.model_validate({**NEW, **wrong})


def test_what_is_left_out_is_not_what_is_null() -> None:
    assert EventChanges.model_validate({"venue": "Zorlu"}).model_fields_set == {"venue"}
    with pytest.raises(ValidationError):
        EventChanges.model_validate({"venue": None})


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_no_message_can_carry_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        timestamp(TypeAdapter(Moment).validate_python(written))
