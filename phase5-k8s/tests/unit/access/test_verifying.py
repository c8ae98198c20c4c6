"""Tokens: the right one is taken, and every forgery is refused, whatever it tries."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from access.callers import Caller, InvalidToken, TokenExpired
from access.keys import KnownKeys, own_keys, published, user_keys
from access.verifying import MAX_TOKEN, Verifier
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey
from tests.tokens import by_hand, confused, right_claims, right_header, service_token, signed, user_token

Forge = Callable[[ECKey], str]
ANOTHER = ECKey.generate_key("P-256", auto_kid=True)


@pytest.fixture
def key(keys_folder: Path) -> ECKey:
    return own_keys(keys_folder, "user-service")[0]


@pytest.fixture
def booking_key(keys_folder: Path) -> ECKey:
    return own_keys(keys_folder, "booking-service")[0]


async def test_a_right_token_says_who_is_calling(verifier: Verifier, keys_folder: Path) -> None:
    assert await verifier.caller(user_token(keys_folder, "ada")) == Caller("ada", frozenset({"customer"}))
    assert await verifier.caller(service_token(keys_folder)) == Caller("booking-service", frozenset({"service"}))


async def test_what_the_forgeries_start_from_is_right(verifier: Verifier, key: ECKey) -> None:
    """Their control: each of them differs from this one in one thing."""
    assert (await verifier.caller(signed(key, right_claims()))).id == "ada"


FORGERIES: dict[str, Forge] = {
    "no signature": lambda key: by_hand(right_header(key), right_claims()),
    "alg none": lambda key: by_hand(right_header(key, alg="none"), right_claims()),
    "alg None": lambda key: by_hand(right_header(key, alg="nOnE"), right_claims()),
    "HS256 with the public key": lambda key: confused(key, right_claims()),
    "HS256 with a secret of its own": lambda key: jwt.encode(
        right_header(key, alg="HS256"), right_claims(), OctKey.import_key("x" * 32), algorithms=["HS256"]
    ),
    "another's key, our kid": lambda key: signed(ANOTHER, right_claims(), kid=key.kid),
    "another's key, its kid": lambda _: signed(ANOTHER, right_claims()),
    "another's key, sent along": lambda key: by_hand(
        right_header(key, jwk=ANOTHER.as_dict(private=False)), right_claims(), b"x" * 64
    ),
    "no kid": lambda key: signed(key, right_claims(), kid=None),
    "a kid that is no text": lambda key: by_hand(right_header(key, kid=["a"]), right_claims()),
    "another type": lambda key: signed(key, right_claims(), typ="JWT"),
    "another issuer": lambda key: signed(key, right_claims(iss="booking-service")),
    "no issuer": lambda key: signed(key, right_claims(iss=None)),
    "another audience": lambda key: signed(key, right_claims(aud="payments")),
    "no audience": lambda key: signed(key, right_claims(aud=None)),
    "nobody": lambda key: signed(key, right_claims(sub="")),
    "no end": lambda key: signed(key, right_claims(exp=None)),
    "an end that is text": lambda key: by_hand(right_header(key), right_claims(exp="never"), b"x" * 64),
    "issued tomorrow": lambda key: signed(key, right_claims(iat=int(time.time()) + 86_400)),
    "not yet valid": lambda key: signed(key, right_claims(nbf=int(time.time()) + 60)),
    "a service, by user-service": lambda key: signed(key, right_claims(roles=["service"])),
    "an unknown role": lambda key: signed(key, right_claims(roles=["customer", "root"])),
    "roles that are text": lambda key: signed(key, right_claims(roles="admin")),
    "no roles": lambda key: signed(key, right_claims(roles=[])),
    "roles that are none": lambda key: signed(key, right_claims(roles=[{"admin": True}])),
    "no claims": lambda key: by_hand(right_header(key), "[]", b"x" * 64),
    "a deep header": lambda key: "eyJ" + "W1tb" * 900 + f".{key.kid}.x",
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_a_forgery_is_refused(verifier: Verifier, key: ECKey, forge: Forge) -> None:
    with pytest.raises(InvalidToken) as refusal:
        await verifier.caller(forge(key))
    assert not isinstance(refusal.value, TokenExpired)


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
async def test_who_believes_what_is_written_is_taken_in(key: ECKey, forge: Forge) -> None:
    """The control: the forgeries can be read, and only a verifier that verifies stands in their way."""
    written = forge(key).split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(written + "=="))
    except ValueError:
        claims = []
    assert claims == [] or claims["sub"] in {"ada", ""}


async def test_a_service_speaks_for_itself_alone(verifier: Verifier, booking_key: ECKey) -> None:
    itself: dict[str, Any] = {"iss": "booking-service", "sub": "booking-service", "roles": ["service"]}
    assert (await verifier.caller(signed(booking_key, right_claims(**itself)))).id == "booking-service"
    for more in (
        {"iss": "user-service", "sub": "ada", "roles": ["admin"]},
        {"roles": ["admin"]},
        {"sub": "ada"},
        {"iss": "api-gateway", "sub": "api-gateway"},
    ):
        with pytest.raises(InvalidToken):
            await verifier.caller(signed(booking_key, right_claims(**{**itself, **more})))


async def test_one_bit_of_the_claims_is_seen(verifier: Verifier, key: ECKey) -> None:
    header, claims, signature = signed(key, right_claims()).split(".")
    other = "A" if claims[20] != "A" else "B"
    with pytest.raises(InvalidToken):
        await verifier.caller(f"{header}.{claims[:20]}{other}{claims[21:]}.{signature}")


async def test_a_claim_that_is_there_twice_is_refused(verifier: Verifier, key: ECKey) -> None:

    text = '{"roles": ["customer"], ' + str(right_claims(roles=["admin"])).replace("'", '"')[1:]
    with pytest.raises(InvalidToken):
        await verifier.caller(jws.serialize_compact(right_header(key), text, key, algorithms=["ES256"]))


@pytest.mark.parametrize(("ago", "right"), [(-5, True), (29, True), (31, False), (3600, False)])
async def test_clocks_may_differ_by_half_a_minute(keys_folder: Path, trusted: KnownKeys, ago: int, right: bool) -> None:  # noqa: FBT001 - pytest hands it over by name
    """Seconds since the token's end."""
    now = time.time()
    expired = signed(own_keys(keys_folder, "user-service")[0], right_claims(iat=int(now) - 7200, exp=int(now) - ago))
    verifier = Verifier(trusted, leeway=30, now=lambda: now)
    if right:
        assert (await verifier.caller(expired)).known
    else:
        with pytest.raises(TokenExpired):
            await verifier.caller(expired)


async def test_a_token_that_was_seen_before_expires_all_the_same(keys_folder: Path, trusted: KnownKeys) -> None:
    now = [time.time()]
    verifier = Verifier(trusted, leeway=0, now=lambda: now[0])
    token = signed(own_keys(keys_folder, "user-service")[0], right_claims(exp=int(now[0]) + 10))
    assert (await verifier.caller(token)).known
    now[0] += 9
    assert (await verifier.caller(token)).known
    now[0] += 2
    with pytest.raises(TokenExpired):
        await verifier.caller(token)


async def test_a_key_that_is_taken_back_counts_no_longer_than_half_a_minute(keys_folder: Path) -> None:
    keys = KnownKeys(user_keys(published(own_keys(keys_folder, "user-service"))))
    now = [time.time()]
    verifier = Verifier(keys, now=lambda: now[0])
    token = user_token(keys_folder, "ada")
    assert (await verifier.caller(token)).known
    keys._by_id.clear()
    now[0] += 31
    with pytest.raises(InvalidToken):
        await verifier.caller(token)


async def test_a_flood_of_tokens_is_not_remembered_for_ever(
    verifier: Verifier, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("access.verifying._REMEMBERED", 8)
    for number in range(20):
        await verifier.caller(user_token(keys_folder, f"user-{number}"))
    assert len(verifier._known) <= 8


async def test_what_is_too_long_is_not_taken_apart(
    verifier: Verifier, key: ECKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = signed(key, right_claims(note="x" * MAX_TOKEN))
    monkeypatch.setattr("access.verifying.jws.extract_compact", None)  # calling it would be a TypeError
    with pytest.raises(InvalidToken):
        await verifier.caller(long)


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
async def test_garbage_is_refused_and_nothing_breaks(garbage: str) -> None:
    with pytest.raises(InvalidToken):
        await Verifier(KnownKeys([])).caller(garbage)


@pytest.mark.parametrize("header", ["[]", '"a"', '{"alg":"ES256","typ":"at+jwt","kid":{}}', "{", "null", '{"alg": 1}'])
async def test_headers_that_are_none_are_refused(verifier: Verifier, header: str) -> None:

    encoded = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidToken):
        await verifier.caller(f"{encoded}.e30.e30")
