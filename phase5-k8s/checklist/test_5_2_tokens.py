"""5.2 The gateway serves REST to those who may, and to nobody too often."""

import time
from collections.abc import Mapping

import pytest
from checklist import forged
from checklist.asking import Answer
from checklist.gateway import BOOKINGS, EVENTS, Gateway, booking_path, new_key
from checklist.people import People, Person, claims_of
from checklist.selling import Event, Selling

from workbook.checks.verdict import expect, not_run

SAY_401 = "answer 401: verify the token before anything else, with a key and an algorithm of your own choice"
A_DAY = 24 * 3600
SOON = 4  # seconds that are waited for the end of a token
CLAIMED: Mapping[str, str] = {
    "X-User-Id": "{id}",
    "X-User-Roles": "admin",
    "X-Roles": "admin",
    "X-Forwarded-User": "{id}",
    "X-Authenticated-Userid": "{id}",
}


def test_no_token(gateway: Gateway, selling: Selling, ada: Person, event: Event, booking_id: str) -> None:
    """Without a token nothing is booked, seen or cancelled."""
    nobody = Person("", ada.id)
    for answer in (
        selling.book(nobody, event.id, "without a token"),
        selling.see(nobody, booking_id, "without a token"),
        selling.cancel(nobody, booking_id, "without a token"),
    ):
        answer.refused(401, todo=SAY_401)
        if gateway.told_problems():
            said = f"{answer.told()}, without WWW-Authenticate"
            expect("www-authenticate" in answer.headers, said, "say in WWW-Authenticate: Bearer what is asked for")


@pytest.mark.parametrize("kind", forged.KINDS)
def test_forged(gateway: Gateway, selling: Selling, ada: Person, booking_id: str, kind: str) -> None:
    """A token that somebody made up is none."""
    token = forged.KINDS[kind](ada.token, _keys(gateway))
    if token is None:
        not_run("needs a token that is a JWT" if not claims_of(ada.token) else "needs /.well-known/jwks.json")
    for answer in _tried(gateway, selling, Person(token, ada.id), booking_id, f"with {kind}"):
        answer.refused(400, 401, todo=SAY_401)


def _tried(gateway: Gateway, selling: Selling, who: Person, booking_id: str, case: str) -> list[Answer]:
    return [selling.see(who, booking_id, case), gateway.ask("GET", booking_path(booking_id), case, token=who.token)]


def _keys(gateway: Gateway) -> str:
    answer = gateway.ask("GET", "/.well-known/jwks.json")
    return answer.text if answer.succeeded else ""


def test_roles_changed(selling: Selling, ada: Person, people: People) -> None:
    """Roles that somebody writes into their token are worth nothing."""
    people.needs_accounts()
    token = forged.with_roles(ada.token)
    if token is None:
        not_run("needs a token that is a JWT")
    sold = selling.put_on_sale(token, "with roles written into the token")
    sold.refused(400, 401, todo=SAY_401)


def test_end(selling: Selling, ada: Person, booking_id: str) -> None:
    """A token ends."""
    claims = claims_of(ada.token)
    if not claims:
        not_run("needs a token that is a JWT")
    ends = claims.get("exp")
    expect(isinstance(ends, (int, float)), f"a token says {claims}, and no exp", "let access tokens end after minutes")
    left = float(str(ends)) - time.time()
    expect(left < A_DAY, f"a token is good for {left / 3600:.0f} hours", "let access tokens end after minutes")
    if left < SOON:
        time.sleep(max(left, 0) + 1)
        late = selling.see(ada, booking_id, "with a token that has ended")
        late.refused(401, todo="look at exp: many libraries do not by themselves")


def test_other_headers(gateway: Gateway, ada: Person, booking_id: str) -> None:
    """No other header says who is asking."""
    for name, value in CLAIMED.items():
        header = {name: value.format(id=ada.id or "admin")}
        seen = gateway.ask("GET", booking_path(booking_id), f"with {name}", headers=header)
        seen.refused(401, todo="take from requests no header that your own services believe")
        made = gateway.ask("POST", EVENTS, f"with {name}", body={"name": "Check"}, headers={**header, **new_key()})
        expect(not made.succeeded, made.told(), "take from requests no header that your own services believe")
    asked = gateway.ask("GET", f"{booking_path(booking_id)}?access_token={ada.token}", "with a token in the address")
    asked.refused(400, 401, 422, todo="take tokens from Authorization alone: addresses are written to logs")


def test_no_list(gateway: Gateway) -> None:
    """Nobody without a token sees a list of bookings."""
    answer = gateway.ask("GET", BOOKINGS, "without a token")
    expect(not answer.succeeded, answer.told(), SAY_401)
