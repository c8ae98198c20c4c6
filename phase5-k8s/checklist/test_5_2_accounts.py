"""5.2 The gateway serves REST to those who may, and to nobody too often."""

import secrets
from dataclasses import replace

from checklist.asking import Answer, field, inside
from checklist.gateway import SESSIONS, USERS, Gateway, needs_path
from checklist.people import People, Person, token_in
from checklist.selling import Selling

from workbook.checks.verdict import expect, not_run

TRIES = 12
_VARYING = ("trace_id", "traceId", "instance", "timestamp", "detail")
SAY_401 = "answer 401, and the same for a wrong password and for an e-mail that nobody has"


def test_first_login(people: People) -> None:
    """Who registers and logs in gets a token."""
    people.needs_accounts()
    person = people.registered()
    session = people.logged_in(person).ok()
    token_in(session)
    said = str(session)
    expect(person.password not in said, f"POST {SESSIONS} answered the password", "a password is never told again")


def test_wrong_password(people: People, ada: Person) -> None:
    """A wrong password is refused, and an e-mail that nobody has likewise."""
    people.needs_accounts()
    wrong = people.logged_in(replace(ada, password=secrets.token_urlsafe(12)), "with a wrong password")
    nobody = people.logged_in(replace(ada, email=f"nobody-{ada.email}"), "with an e-mail that nobody has")
    for answer in (wrong, nobody):
        answer.refused(401, todo=SAY_401)
    expect(
        _plain(wrong) == _plain(nobody),
        f"{wrong.told()}, and {nobody.told()}",
        "answer both alike: else anybody finds out who has an account",
    )


def _plain(answer: Answer) -> object:
    content = answer.content
    kept = {k: v for k, v in content.items() if k not in _VARYING} if isinstance(content, dict) else answer.text
    return answer.status, kept


def test_registered_again(gateway: Gateway, people: People, ada: Person) -> None:
    """Who registers an e-mail again does not get its account."""
    people.needs_accounts()
    thief = replace(ada, password=secrets.token_urlsafe(12))
    wish = {"email": thief.email, "password": thief.password, "name": "Thief"}
    again = gateway.ask("POST", USERS, "with an e-mail that has an account", body=wish)
    expect(again.status < 500, again.told(), "refuse it, or answer as for a new one, and change nothing")
    taken = people.logged_in(thief, "with the password of whoever registered an e-mail again")
    taken.refused(401, 429, todo="leave the account that is there, and its password, as they are")


def test_short_password(gateway: Gateway, people: People) -> None:
    """A password of three letters is refused."""
    people.needs_accounts()
    wish = {"email": f"check-{secrets.token_hex(6)}@example.com", "password": "abc", "name": "Check"}
    answer = gateway.ask("POST", USERS, "with the password abc", body=wish)
    answer.refused(400, 422, 429, todo="answer 422: let no password be shorter than 8 characters")


def test_roles_of_ones_own(gateway: Gateway, people: People, selling: Selling) -> None:
    """Nobody makes themselves an organiser."""
    people.needs_accounts()
    person = Person("", email=f"check-{secrets.token_hex(6)}@example.com", password=secrets.token_urlsafe(12))
    wish = {"email": person.email, "password": person.password, "name": "Check"}
    claimed = {"roles": ["admin", "organiser"], "role": "admin", "is_admin": True}
    made = gateway.ask("POST", USERS, "with roles of one's own", body={**wish, **claimed})
    expect(made.status < 500, made.told(), "refuse fields that are not of the contract, or leave them out")
    if made.succeeded:
        token = token_in(people.logged_in(person).ok())
        sold = selling.put_on_sale(token, "by a customer who registered with roles of their own")
        expect(not sold.succeeded, sold.told(), "take roles from nobody but an admin: read only the fields you know")


def test_refresh_once(gateway: Gateway, people: People, bob: Person) -> None:
    """A refresh token is good for one refresh."""
    people.needs_accounts()
    first = field(inside(bob.session, "session"), "refresh_token")
    if not first:
        not_run("needs a refresh_token in a session: an addition to the roadmap, see phase5-k8s/README.md")
    refreshed = gateway.ask("POST", f"{SESSIONS}/refresh", body={"refresh_token": first})
    needs_path(refreshed, f"POST {SESSIONS}/refresh")
    token_in(refreshed.ok())
    again = gateway.ask("POST", f"{SESSIONS}/refresh", "with a token that was used", body={"refresh_token": first})
    again.refused(401, todo="let a refresh token be good once: a second use means that somebody stole it")


def test_guessing(people: People) -> None:
    """Who guesses passwords has to wait."""
    people.needs_accounts()
    victim = people.registered()
    tries = [replace(victim, password=f"guess number {number}") for number in range(TRIES)]
    for number, guess in enumerate(tries, 1):
        answer = people.guessed(guess)
        if answer.status == 429:
            expect(
                answer.headers.get("retry-after", "").isdecimal(),
                f"{answer.told()}, without Retry-After",
                "say in Retry-After how many seconds to wait",
            )
            return
        answer.refused(401, todo=f"answer 401 to a wrong password (this was the {number}th), or 429")
    expect(
        False,
        f"{TRIES} wrong passwords for one account were tried one after the other, and none had to wait",
        "after a few, answer 429 with Retry-After, each time for longer",
    )
