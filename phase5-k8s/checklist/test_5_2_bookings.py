"""5.2 The gateway serves REST to those who may, and to nobody too often."""

from typing import Any

import pytest
from checklist.asking import Answer, field, inside
from checklist.gateway import ADDITION, BOOKINGS, Gateway, new_key
from checklist.people import Person
from checklist.promises import Promises
from checklist.selling import Event, Selling, nobodys_id

from workbook.checks.verdict import expect, not_run

REFUSED = (400, 409, 422)
NOT_YOURS = (403, 404)
AT_ONCE = 8
SAY_NOT_YOURS = "answer 404, as for an id that nobody has: look at whose booking it is before anything else"
SAY_ONCE = "one key of one user is one booking: give back the one that is there"


def test_book(selling: Selling, ada: Person, event: Event) -> None:
    """Who books has a booking, and the tickets left are fewer."""
    before = selling.left(event)
    booking = selling.booked(ada, event, 2)
    expect(field(booking, "id"), f"POST {BOOKINGS} answered no id: {booking}", "answer the booking")
    expect(
        field(booking, "status") == "CONFIRMED" and field(booking, "ticket_count") == 2,
        f"a booking of 2 tickets is {booking}",
        "answer the booking with the roadmap's fields: status CONFIRMED, ticket_count 2",
    )
    left = selling.left(event)
    expect(
        left == before - 2 or not event.ours,
        f"after a booking of 2 tickets, {left} are left of {before}",
        "let the gateway show what the event service says now",
    )


def test_see(gateway: Gateway, selling: Selling, ada: Person, booking_id: str, booking: Any) -> None:
    """Who booked sees the booking, alone and among their own."""
    seen = inside(selling.see(ada, booking_id).ok(), "booking")
    same = all(field(seen, name) == field(booking, name) for name in ("id", "event_id", "ticket_count"))
    expect(same, f"a booking was {booking}, and is shown as {seen}", "show the booking that the id names")
    listed = gateway.ask("GET", BOOKINGS, "of one's own", token=ada.token)
    if listed.is_missing or listed.status in {400, 422}:
        not_run(f"needs GET {BOOKINGS} of one's own: {ADDITION}")
    ids = [field(each, "id") for each in inside(listed.ok(), "bookings") or []]
    expect(booking_id in ids, f"{listed.told()}, without a booking of whoever asks", "list the caller's bookings")


def test_cancel(selling: Selling, ada: Person, event: Event) -> None:
    """A booking that is cancelled gives its tickets back, once."""
    booking = str(field(selling.booked(ada, event, 2), "id"))
    before = selling.left(event)
    cancelled = selling.cancel(ada, booking)
    expect(
        cancelled.succeeded, cancelled.told(), f"let the owner cancel: POST {BOOKINGS}/{{id}}/cancellation, or DELETE"
    )
    again = selling.cancel(ada, booking, "again")
    expect(again.status < 500, again.told(), "a second cancellation changes nothing, and is no fault of yours")
    status = field(inside(selling.see(ada, booking).ok(), "booking"), "status")
    expect(status == "CANCELLED", f"a booking that was cancelled is {status}", "cancel it in the booking service")
    left = selling.left(event)
    expect(
        left == before + 2 or not event.ours,
        f"two cancellations of a booking of 2 tickets took the tickets left from {before} to {left}",
        "give the tickets back, and once",
    )


def test_sold_out(selling: Selling, ada: Person, booking: Any) -> None:
    """More tickets than are left are not sold."""
    del booking  # it finds out how the body is to be
    event = selling.on_sale(1)
    answer = selling.book(ada, event.id, "of more tickets than are left", ticket_count=event.capacity + 1)
    answer.refused(*REFUSED, 429, todo="answer 409: the request is right, and the tickets are gone")
    expect(selling.left(event) >= 0, "fewer than no tickets are left", "sell what is there")


def test_same_key(selling: Selling, ada: Person, event: Event, booking: Any, promises: Promises) -> None:
    """One Idempotency-Key is one booking, however often it is sent."""
    del booking
    before, headers = selling.left(event), new_key()
    answers = [selling.book(ada, event.id, "with one key", headers=headers) for _ in range(2)]
    ids = [field(inside(answer.ok(), "booking"), "id") for answer in answers]
    if ids[0] != ids[1]:
        promises.needs_keys()
    expect(ids[0] == ids[1], f"one Idempotency-Key sent twice made two bookings, {ids[0]} and {ids[1]}", SAY_ONCE)
    sold = before - selling.left(event)
    expect(sold == 1 or not event.ours, f"one Idempotency-Key sent twice took {sold} tickets", SAY_ONCE)


def test_same_key_at_once(gateway: Gateway, selling: Selling, ada: Person, event: Event, promises: Promises) -> None:
    """… also when it comes many times at once."""
    promises.needs_keys()
    before = selling.left(event)
    body = {**selling.wish(ada), "event_id": event.id, "ticket_count": 1}
    answers = gateway.at_once(AT_ONCE, "POST", BOOKINGS, "with one key", token=ada.token, body=body, headers=new_key())
    ids = {field(inside(answer.content, "booking"), "id") for answer in answers if answer.succeeded}
    failed = [answer.told() for answer in answers if not answer.succeeded and answer.status not in {409, 429, 503}]
    expect(not failed, f"of {AT_ONCE} tries with one key at once, one: {failed[:1]}", "answer the booking, or 409")
    expect(len(ids) == 1, f"{AT_ONCE} tries with one key at once made {len(ids)} bookings", SAY_ONCE)
    sold = before - selling.left(event)
    expect(sold == 1 or not event.ours, f"{AT_ONCE} tries with one key at once took {sold} tickets", SAY_ONCE)


def test_key_for_another_wish(selling: Selling, ada: Person, event: Event, promises: Promises) -> None:
    """A key that comes again for something else is refused."""
    promises.needs_keys()
    headers = new_key()
    selling.book(ada, event.id, "with a key", headers=headers).ok()
    other = selling.book(ada, event.id, "of more tickets with a key that was used", headers=headers, ticket_count=3)
    other.refused(400, 409, 422, todo="answer 409 or 422: whoever sends it would take it for what they asked for")


def test_key_of_two_users(selling: Selling, ada: Person, bob: Person, event: Event, promises: Promises) -> None:
    """The same key of two users is two bookings."""
    promises.needs_keys()
    headers = new_key()
    ids = [
        field(
            inside(selling.book(who, event.id, "with a key that another has, too", headers=headers).ok(), "booking"),
            "id",
        )
        for who in (ada, bob)
    ]
    expect(ids[0] != ids[1], f"the key of one user answered another user's booking {ids[0]}", "keep keys apart by user")


@pytest.mark.parametrize("what", ["seen", "cancelled", "listed"])
def test_anothers(gateway: Gateway, selling: Selling, ada: Person, bob: Person, booking_id: str, what: str) -> None:
    """Another user's booking is not to be seen, and not to be cancelled."""
    if what == "listed":
        listed = gateway.ask("GET", f"{BOOKINGS}?user_id={ada.id}", "of another user", token=bob.token)
        expect(booking_id not in listed.text, f"{listed.told()}: a booking of somebody else", SAY_NOT_YOURS)
        return
    call = selling.see if what == "seen" else selling.cancel
    answer = call(bob, booking_id, "of another user")
    answer.refused(*NOT_YOURS, todo=SAY_NOT_YOURS)
    unknown = call(bob, nobodys_id(), "that nobody has")
    if gateway.told_problems():  # who has this workbook's answers is held to what they tell
        _tells_apart(answer, unknown)
    status = field(inside(selling.see(ada, booking_id).ok(), "booking"), "status")
    expect(status == "CONFIRMED", f"another user's {answer.asked} made a booking {status}", SAY_NOT_YOURS)


def _tells_apart(answer: Answer, unknown: Answer) -> None:
    expect(
        answer.status == unknown.status and field(answer.content, "reason") == field(unknown.content, "reason"),
        f"{answer.told()}, and {unknown.told()}",
        "answer both alike: else anybody finds out which bookings there are",
    )


def test_booking_for_another(selling: Selling, ada: Person, bob: Person, event: Event) -> None:
    """Nobody books for somebody else, or a booking that is what they say."""
    made_up = {"user_id": ada.id, "id": nobodys_id(), "status": "CANCELLED", "price": 0, "is_admin": True}
    for field_name, value in made_up.items():
        answer = selling.book(bob, event.id, f"with {field_name} in it", **{field_name: value})
        expect(answer.status < 500, answer.told(), "refuse fields that are not of the contract, or leave them out")
        if answer.succeeded:
            booking = inside(answer.content, "booking")
            taken = field(booking, field_name)
            expect(
                taken != value, f"{answer.asked} took it: {taken!r}", "take from a body only what a customer may say"
            )
            mine = selling.see(ada, str(field(booking, "id")), "that somebody made in one's name")
            expect(not mine.succeeded, mine.told(), "the token says whose booking it is, and nothing else")
