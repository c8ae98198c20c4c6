"""Page tokens: where a page ended, as text that callers hand back without looking inside."""

import base64
import binascii
import uuid
from datetime import UTC, datetime, timedelta

from chassis.errors import InvalidArgument

from booking_service.repository import Position

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES, _ID_BYTES = 8, 16


def page_size(asked: int) -> int:
    """The size to use: 0 means the default, too much means the most there is, as AIP-158 has it."""
    if asked < 0:
        raise InvalidArgument("page_size", f"must not be negative, not {asked}")
    return min(asked or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def write_token(position: Position) -> str:
    microseconds = (position.created_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(microseconds.to_bytes(_TIME_BYTES) + position.booking_id.bytes).decode()


def read_token(token: str) -> Position | None:
    """The position in a token, None for the empty one; InvalidArgument for anything not given out by `write_token`."""
    if not token:
        return None
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        created_at = _EPOCH + timedelta(microseconds=int.from_bytes(raw[:_TIME_BYTES]))
        return Position(created_at, uuid.UUID(bytes=raw[_TIME_BYTES:]))
    except (binascii.Error, ValueError, OverflowError):
        raise InvalidArgument("page_token", "must be the next_page_token of an earlier answer") from None
