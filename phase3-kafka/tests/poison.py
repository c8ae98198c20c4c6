"""Messages that nobody can count, of every sort: the value and the headers of each."""

import uuid

from messaging.contract import Headers, headers_of
from tests.bookings import created, sent

Sent = tuple[bytes | None, Headers]
CREATED = "BookingCreatedEvent"
GOOD = sent(created())[0]
POISON: dict[str, Sent] = {
    "no headers": (GOOD, ()),
    "no message id": (GOOD, headers_of(uuid.uuid4(), CREATED, "")[1:]),
    "a message id that is none": (GOOD, [("message-id", b"42"), ("type", CREATED.encode()), ("version", b"1")]),
    "bytes in a header": (GOOD, [("message-id", b"\xff\xfe"), ("type", CREATED.encode()), ("version", b"1")]),
    "a version of the future": (GOOD, [*headers_of(uuid.uuid4(), CREATED, "")[:2], ("version", b"2")]),
    "no value": (None, headers_of(uuid.uuid4(), CREATED, "")),
    "nothing in it": (b"", headers_of(uuid.uuid4(), CREATED, "")),
    "bytes": (bytes(range(256)), headers_of(uuid.uuid4(), CREATED, "")),
    "half a message": (GOOD[:40], headers_of(uuid.uuid4(), CREATED, "")),
    "a list": (b"[]", headers_of(uuid.uuid4(), CREATED, "")),
    "too deep": (b"[" * 100_000, headers_of(uuid.uuid4(), CREATED, "")),
    "a field missing": (b'{"user_id": "ada"}', headers_of(uuid.uuid4(), CREATED, "")),
    "a number too large": (GOOD.replace(b": 2,", b": " + b"9" * 5000 + b","), headers_of(uuid.uuid4(), CREATED, "")),
}
