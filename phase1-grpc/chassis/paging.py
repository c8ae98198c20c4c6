"""Pages that stay whole while rows are added: where a page ended, and the token that says so to the caller."""

import base64
import binascii
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chassis.errors import InvalidArgument

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES, _ID_BYTES = 8, 16


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the time and the id of the last row on it. Rows that come later do not move it."""

    at: datetime
    id: uuid.UUID


def page_size(asked: int) -> int:
    """The size to use: 0 means the default, too much means the most there is, as AIP-158 has it."""
    if asked < 0:
        raise InvalidArgument("page_size", f"must not be negative, not {asked}")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def write_token(position: Position) -> str:
    microseconds = (position.at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(microseconds.to_bytes(_TIME_BYTES, signed=True) + position.id.bytes).decode()


def read_token(token: str) -> Position | None:
    """The position in a token, None for the empty one; InvalidArgument for anything not given out by `write_token`."""
    if not token:
        return None
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        at = _EPOCH + timedelta(microseconds=int.from_bytes(raw[:_TIME_BYTES], signed=True))
        position = Position(at, uuid.UUID(bytes=raw[_TIME_BYTES:]))
    except (binascii.Error, ValueError, OverflowError):
        position = None
    if position is None or write_token(position) != token:  # the decoder takes the letters of both base64 alphabets
        raise InvalidArgument("page_token", "must be the next_page_token of an earlier answer")
    return position
