"""What the check of task 5.5 sends, and what the contract says of it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

EVENT = "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"
KEY = {"idempotency-key": "checkout-7f3a"}
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEY = re.compile(r"[!-~]{1,128}")
_FIELDS = {"event_id", "ticket_count"}
_SHOWN = 120  # characters


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it comes; `why` says what to think of it."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: KEY)
    why: str = ""

    def __str__(self) -> str:
        shown = self.body.decode(errors="backslashreplace")
        key = self.headers.get("idempotency-key")
        with_key = (
            ""
            if self.headers is KEY
            else f", Idempotency-Key: {_short(repr(key))}"
            if key is not None
            else (", no Idempotency-Key")
        )
        return f"{_short(shown)}{with_key}"


def refusals(sent: Sent) -> set[tuple[int, str]]:
    """The refusals that are right, one for each thing that is wrong; none for a right request."""
    found = set() if _KEY.fullmatch(sent.headers.get("idempotency-key", "")) else {(422, "Idempotency-Key")}
    try:
        body = json.loads(sent.body)
    except (ValueError, RecursionError):
        return found | {(400, "body")}
    if not isinstance(body, dict):
        return found | {(422, "body")}
    return found | {(422, name) for name in {*body, *_FIELDS} if not _is_right(name, body)}


def _is_right(name: str, body: Mapping[str, Any]) -> bool:
    value = body.get(name)
    if name == "event_id":
        return isinstance(value, str) and _ID.fullmatch(value) is not None
    return name == "ticket_count" and type(value) is int and 1 <= value <= 10


def _body(why: str = "", **other: Any) -> Sent:
    written = {"event_id": EVENT, "ticket_count": 3, **other}
    return Sent(json.dumps({name: value for name, value in written.items() if value is not ...}).encode(), why=why)


_COUNT = "ticket_count is a whole number from 1 to 10, written as a number"
_EVENT_ID = "event_id is text of the form 8-4-4-4-12 hexadecimal digits, all of it"
_MORE = (
    "a field that is not of the contract is refused. Whoever copies what the body says lets its sender set any field "
    "of the message (mass assignment); whoever drops it in silence lets a client believe that it did something"
)
_TEXT = "this is no JSON: 400, and the field is body"
_OBJECT = "a body is an object: 422, and the field is body"
_NO_KEY = (
    "the key is 1 to 128 characters from ! to ~, and it has to be there: without one a retry is a second booking, "
    "and the client would not know"
)

BODIES = (
    _body(),
    _body(ticket_count=1),
    _body(ticket_count=10),
    _body(event_id=EVENT.upper()),
    Sent(f' {{"ticket_count" : 2,\n"event_id":"{EVENT}"}} '.encode(), why="White space is nothing"),
    *(_body(_COUNT, ticket_count=wrong) for wrong in ("3", True, 3.0, 3.7, None, [3], 0, -1, 11, 2**31, ...)),
    *(_body(_EVENT_ID, event_id=wrong) for wrong in (7, None, "", "jazz", f" {EVENT}", f"{EVENT}\n", EVENT[:-1], ...)),
    *(
        _body(_MORE, **{name: value})
        for name, value in (
            ("user_id", "somebody-else"),
            ("status", "CONFIRMED"),
            ("idempotency_key", "mine"),
            ("ticketCount", 5),
            ("note", ""),
        )
    ),
    *(
        Sent(text, why=_TEXT)
        for text in (b"", b"{", b"ticket_count=3", b"{'ticket_count': 3}", b"\xff\xfe", b"[" * 5000)
    ),
    *(Sent(text, why=_OBJECT) for text in (b"[]", b"null", b"3", b'"event_id"')),
)
_RIGHT = _body().body
KEYS = (
    *(Sent(_RIGHT, {"idempotency-key": right}) for right in ("a", "x" * 128, "!~", "0b5c-42")),
    Sent(_RIGHT, {}, why=_NO_KEY),
    *(
        Sent(_RIGHT, {"idempotency-key": wrong}, why=_NO_KEY)
        for wrong in ("", " ", "a b", "x" * 129, "k\u0131z", "a\n")
    ),
)
_VALUES = ("3", 3, 1, 10, 11, 0, True, None, 2.0, EVENT, EVENT.upper(), "", ...)


def made_up(count: int) -> Iterator[Sent]:
    """Several things at once; the same ones each time."""
    random = Random(5)  # noqa: S311 - nothing secret
    for _ in range(count):
        body = {
            "event_id": random.choice((EVENT, EVENT.upper(), random.choice(_VALUES))),
            "ticket_count": random.choice((random.randint(1, 10), random.choice(_VALUES))),
        }
        if random.random() < 0.2:
            body[random.choice(("user_id", "status", "price"))] = random.choice(_VALUES)
        text = json.dumps({name: value for name, value in body.items() if value is not ...}).encode()
        headers = (
            {} if random.random() < 0.1 else {"idempotency-key": random.choice(("k", "x" * 128, "x" * 128, "x" * 129))}
        )
        yield Sent(text, headers, "each wrong thing is a reason to refuse it, and any one of them may be named")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
