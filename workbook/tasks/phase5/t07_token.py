"""Task 5.7: who is calling, as a token proves it. Every forgery is tried, and every token that is right."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from access.callers import Caller, InvalidToken
from joserfc.jwk import ECKey

from workbook.lesson.task import Task, Wrong
from workbook.props.forgeries import Forger, by_hand
from workbook.tasks.phase5.wrong_token import WRONG

CallerOf = Callable[[str, Mapping[str, ECKey], float], Any]
NOW = 1_800_000_000.0  # the check has a clock of its own
SPOILT = 300


@dataclass(frozen=True, slots=True)
class Gate:
    """The learner's function, with the keys and the time that it gets."""

    caller_of: CallerOf
    keys: Mapping[str, ECKey]
    now: float = NOW

    def lets_in(self, token: str, what: str) -> Any:
        """Who it says is calling; None if it refuses, as it must: with InvalidToken."""
        try:
            with warnings.catch_warnings(action="ignore"):  # the library's, of answers that do what it advises against
                return self.caller_of(token, dict(self.keys), self.now)
        except NotImplementedError:
            raise
        except InvalidToken:
            return None
        except Exception as error:
            raise Wrong(
                f"{what}: caller_of raised {type(error).__name__}: {error}. Anybody can send anything: a token that is "
                "not right is InvalidToken, for all else is a bug, and a 500"
            ) from error


def check(caller_of: CallerOf) -> str:
    """The right ones first: whoever refuses all is safe, too."""
    older, newer = (ECKey.generate_key("P-256", auto_kid=True) for _ in range(2))
    gate = Gate(caller_of, {str(key.kid): _public(key) for key in (older, newer)})
    for key in (older, newer):
        _right(gate, Forger(key, NOW))
    _clocks(gate, Forger(newer, NOW))
    forged = [*Forger(newer, NOW).forgeries(), *_garbage(Forger(newer, NOW))]
    for what, token in forged:
        _refused(gate, token, what)
    _key_taken_back(gate, Forger(older, NOW))
    return f"{len(forged)} forgeries refused; two keys, five kinds of people and clocks that differ let in"


def _public(key: ECKey) -> ECKey:
    return ECKey.import_key(key.as_dict(private=False))


def _right(gate: Gate, ours: Forger) -> None:
    for roles in (["customer"], ["customer", "organiser"], ["admin", "customer"], ["organiser"], ["admin"]):
        _let_in(gate, ours.right(roles=roles), f"a right token of roles {roles}", roles)
    _let_in(gate, ours.right(jti="7", name="Ada"), "a right token that says more (jti, name)", ["customer"])
    _let_in(gate, ours.right(nbf=ours.now - 60), "a right token with nbf, a minute ago", ["customer"])
    _let_in(gate, ours.right(aud=["payments", "tickets"]), "a token for two audiences, tickets is one", ["customer"])


def _clocks(gate: Gate, ours: Forger) -> None:
    """Whoever signs and whoever checks are two machines."""
    why = "Clocks differ: 30 s are allowed, in both directions"
    expired = ours.right(iat=ours.now - 600, exp=ours.now - 29)
    _let_in(gate, expired, f"a token that ended 29 s ago. {why}", ["customer"])
    ahead = ours.right(iat=ours.now + 29, nbf=ours.now + 29)
    _let_in(gate, ahead, f"a token issued in 29 s, by a clock that is ahead. {why}", ["customer"])


def _let_in(gate: Gate, token: str, what: str, roles: list[str]) -> None:
    got = gate.lets_in(token, what)
    if got is None:
        raise Wrong(f"{what}: it was refused, and it is right")
    right = Caller("ada", frozenset(roles))
    if got != right:
        raise Wrong(f"{what}: caller_of gives {got!r}, and {right!r} is right")


def _refused(gate: Gate, token: str, what: str) -> None:
    if (got := gate.lets_in(token, what)) is not None:
        raise Wrong(f"{what}: let in, as {got!r}. {_WHERE.get(what, 'This is no token of ours')}")


def _key_taken_back(gate: Gate, ours: Forger) -> None:
    """A key that is stolen is taken out of `keys`; what it signed counts no longer."""
    without = {kid: key for kid, key in gate.keys.items() if kid != ours.key.kid}
    what = "signed with a key that is no longer in `keys`"
    if Gate(gate.caller_of, without).lets_in(ours.right(), what) is not None:
        raise Wrong(f"{what}: let in. Only the keys that are given now count: remember none")


def _garbage(ours: Forger) -> Iterator[tuple[str, str]]:
    right = ours.right()
    header, claims, signature = right.split(".")
    yield from (
        ("an empty token", ""),
        ("no dots", "ada"),
        ("three empty parts", ".."),
        ("a part is missing", f"{header}.{claims}"),
        ("a part too many", f"{right}.{signature}"),
        ("letters that are no ASCII", f"{header}.{claims}.ş"),
        ("a kid that is no text", by_hand(ours.header(kid=["a"]), ours.claims(), b"x" * 64)),
        ("claims that are a list", f"{header}.W10.{signature}"),
        ("an exp that is text", ours.right(exp="never")),
        ("a header as deep as it gets", "eyJ" + "W1tb" * 900 + f".{claims}.{signature}"),
    )
    random = Random(7)  # noqa: S311 - the same places each time
    for _ in range(SPOILT):
        at = random.randrange(len(right) - 2)  # the last letter holds bits that nobody reads
        if right[at] != ".":
            other = "A" if right[at] != "A" else "B"
            yield f"a right token with letter {at} changed", f"{right[:at]}{other}{right[at + 1 :]}"


_WHERE = {
    "alg none": "The token must not choose its algorithm: name ES256 yourself",
    "no signature": "Whoever reads claims before the signature is checked believes everybody",
    "HS256 with the public key": "The token must not choose its algorithm: the public key is no secret. Name ES256",
    "claims changed after signing": "Check the signature, and of these very claims",
    "the attacker's key, our kid": "The key is the one in `keys`, and the signature has to be that key's",
    "the attacker's key, its own kid": "A kid that is not in `keys` is nobody's: no other key in its place",
    "the attacker's key, sent along": "A key that comes with the token proves that its sender has a key, no more",
    "no kid": "Every token of ours names its key; one that does not is none of ours",
    "expired an hour ago": "jwt.decode checks the signature alone: exp is yours to check, with JWTClaimsRegistry",
    "expired 31 s ago": "30 s are for clocks that differ, and no more",
    "never expires": "A token without exp is good for ever once it is stolen: exp is essential",
    "issued tomorrow": "iat lies in the future by more than clocks differ",
    "not valid before tomorrow": "nbf says from when on it counts",
    "for another audience": "It was signed for payments: whoever gets one there could use it here. aud is tickets",
    "for no audience": "aud is essential, and its value tickets",
    "by another issuer": "The key is user-service's, so iss must be, too",
    "another kind of token": "typ is at+jwt: the same key may sign other things, such as links to reset a password",
    "for nobody": "sub is the user's id, and empty",
    "no roles": "roles is a list with at least one role that users may have",
    "a role that users cannot have": "Each role has to be one that users may have: user-service makes no services",
    "roles that are text": "roles is a list. frozenset of a text is its letters, and `in` looks for parts of it",
    "roles that are an object": "roles is a list; an object has keys, and each of them may be a role",
    "roles twice": "A claim is there twice, and who reads the first and who the last disagree: decoder_cls=Once",
}

TASK = Task(
    id="5.7",
    title="Who is calling, as a token proves it",
    names=("caller_of",),
    hints=(
        (
            "Which parts of a token may you believe before the signature is checked? Its kid, to look up a key of "
            "your own, and nothing else. Who chooses the algorithm?"
        ),
        (
            "header = jws.extract_compact(token.encode()).headers() reads the header. keys.get(kid), or InvalidToken. "
            'jwt.decode(token, key, algorithms=["ES256"], decoder_cls=Once).claims, then '
            'jwt.JWTClaimsRegistry(lambda: int(now), 30, iss={"essential": True, "value": …}, …).validate(claims).'
        ),
        (
            "All of it in one try, with except (JoseError, ValueError, KeyError, TypeError, AttributeError, "
            'RecursionError): raise InvalidToken(…). Then by hand: header["typ"], and isinstance(roles, list), not '
            "empty, USER_ROLES.issuperset(roles). A kid may be a list, which is no key of a dict: TypeError."
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=30,
)
