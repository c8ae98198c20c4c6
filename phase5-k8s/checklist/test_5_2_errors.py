"""5.2 The gateway serves REST to those who may, and to nobody too often."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from checklist.asking import PROBLEM, Answer
from checklist.bodies import send_large
from checklist.gateway import ADDITION, BOOKINGS, EVENTS, Gateway, new_key
from checklist.people import Person
from checklist.selling import Event, Selling, nobodys_id

from workbook.checks.verdict import expect, not_run

BAD = (400, 413, 415, 422)
TOO_LARGE = 10 * 1024 * 1024
NO_JSON: Mapping[str, bytes] = {
    "an open brace": b"{",
    "nothing": b"",
    "bytes that are no text": b"\xff\xfe\x00{",
    "60,000 open brackets": b"[" * 60_000,
    "a form": b"event_id=1&ticket_count=1",
    "a list": b"[]",
    "null": b"null",
}
WRONG: Mapping[str, tuple[str, Any]] = {
    "no ticket_count": ("ticket_count", None),
    "0 tickets": ("ticket_count", 0),
    "-1 tickets": ("ticket_count", -1),
    "one and a half tickets": ("ticket_count", 1.5),
    "10 billion tickets": ("ticket_count", 10**10),
    "two, in words": ("ticket_count", "two"),
    "true tickets": ("ticket_count", True),
    "an event_id that is none": ("event_id", "' OR '1'='1"),
    "an event_id that is a number": ("event_id", 7),
    "an event_id that is a list": ("event_id", ["a"]),
    "an event that nobody has": ("event_id", nobodys_id()),
}
INSIDES = re.compile(
    r"Traceback|File \"|\.py\b|psycopg|sqlalchemy|SELECT |INSERT |grpc\.|StatusCode|dns:///|ipv4:|goroutine|"
    r"\bat [\w.$]+\([\w]+\.java|(?:\d{1,3}\.){3}\d{1,3}:\d+"
)
SAY_BAD = "answer 400 or 422 and book nothing: check each field before anything else"


@pytest.mark.parametrize("body", NO_JSON)
def test_no_json(gateway: Gateway, selling: Selling, ada: Person, event: Event, body: str) -> None:
    """A body that is no JSON, or not an object, is refused, and nothing is booked."""
    before = selling.left(event)
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body == "a form" else {}
    answer = gateway.ask(
        "POST", BOOKINGS, f"with {body} as its body", token=ada.token, body=NO_JSON[body], headers={**kind, **new_key()}
    )
    answer.refused(*BAD, todo=SAY_BAD)
    _nothing_booked(selling, event, before, answer)


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_fields(selling: Selling, ada: Person, event: Event, booking: Any, wrong: str) -> None:
    """A booking with a wrong field is refused, and nothing is booked."""
    del booking  # it finds out how the body is to be
    name, value = WRONG[wrong]
    before = selling.left(event)
    answer = selling.book(ada, **{"event_id": event.id, "case": f"with {wrong}", name: value})
    answer.refused(400, 404, 409, 422, todo=SAY_BAD)
    _nothing_booked(selling, event, before, answer)


def _nothing_booked(selling: Selling, event: Event, before: int, answer: Answer) -> None:
    left = selling.left(event)
    said = f"{answer.asked} was refused, and took {before - left} tickets all the same"
    expect(left == before or not event.ours, said, SAY_BAD)


def test_too_large(gateway: Gateway, selling: Selling, ada: Person, event: Event) -> None:
    """A body of ten megabytes is not kept."""
    before = selling.left(event)
    answer = send_large(gateway, BOOKINGS, ada.token, TOO_LARGE)
    if answer is not None:
        expect(answer.status < 500, answer.told(), "refuse a body that is too large: answer 413")
        if answer.succeeded and not gateway.told_problems():
            not_run(f"needs a limit of bodies: {ADDITION}")
        said = (413,) if gateway.told_problems() else BAD
        answer.refused(*said, todo="answer 413, and do not read all of it: anybody could fill your memory")
    after = gateway.ask("GET", EVENTS, "after a body of ten megabytes")
    expect(after.status < 500, after.told(), "refuse it before it is read, and go on")
    expect(selling.left(event) == before or not event.ours, "it was booked", SAY_BAD)


def test_no_such_page(gateway: Gateway) -> None:
    """What is not there is a 404, and a method that a path does not have is a 405."""
    nowhere = gateway.ask("GET", "/v1/no-such-thing")
    nowhere.refused(404, todo="answer 404 where there is nothing")
    other = gateway.ask("PUT", EVENTS, body={})
    other.refused(404, 405, 501, 401, todo="answer 405, and say in Allow what can be done")
    if other.status == 405 and gateway.told_problems():
        said = f"{other.told()}, without Allow"
        expect("allow" in other.headers, said, "say in Allow what can be done there")


def test_problems(gateway: Gateway, ada: Person, event: Event) -> None:
    """Each refusal is a problem as RFC 9457 has it."""
    for path, token in ((f"{EVENTS}/{nobodys_id()}", ""), (f"{BOOKINGS}/{nobodys_id()}", ada.token), (BOOKINGS, "")):
        gateway.ask("GET", path, token=token)
    gateway.ask("POST", BOOKINGS, token=ada.token, body={"event_id": event.id, "ticket_count": -1}, headers=new_key())
    if not gateway.told_problems():
        not_run(f"needs {PROBLEM} for refusals: {ADDITION}")
    for answer in gateway.refusals():
        expect(answer.kind == PROBLEM, f"{answer.told()}, as {answer.kind or 'nothing'}", f"answer {PROBLEM} always")
        content = answer.content
        told = isinstance(content, dict) and content.get("status") == answer.status and content.get("title")
        expect(
            told,
            f"{answer.told()}, which is no problem",
            "answer {type, title, status, detail}; status as the answer's",
        )


def test_insides(gateway: Gateway) -> None:
    """No answer tells what is inside: no trace of a program, no statement, no address."""
    refusals = gateway.refusals()
    for answer in refusals:
        found = INSIDES.search(answer.text)
        expect(
            found is None,
            f"{answer.told()}: it tells {found and found[0]!r}",
            "write to the log, and tell callers less",
        )
    failed = [answer.told() for answer in refusals if answer.status in {500, 502}]
    expect(not failed, f"{len(failed)} answers were 500, such as: {failed[:1]}", "a caller's mistake is a 4xx")
