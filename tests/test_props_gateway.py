"""What lesson 5's sections on the gateway stand on: forgeries that forge, and models that are the system's own."""

import json
import time
import uuid
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import grpc
import httpx
import pytest
from access.bookings import booking_rules
from access.callers import Caller, InvalidToken, NotAllowed
from access.control import Rule
from access.events import OPEN as OPEN_EVENTS
from access.events import RULES as EVENT_RULES
from access.keys import KnownKeys, make_keys, own_keys, published, user_keys
from access.verifying import Verifier
from api_gateway.bookings import NewBooking
from api_gateway.problems import STATUSES
from api_gateway.windows import OwnWindows, Policy
from chassis import errors
from chassis.error_status import status_of
from chassis.errors import ServiceError
from grpc_status import rpc_status
from joserfc.jwk import ECKey
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbook.lesson.task import Wrong
from workbook.props.effort import held, steps
from workbook.props.forgeries import Forger
from workbook.props.guesser import guesses
from workbook.props.http_served import served
from workbook.props.people import Person, signed_in
from workbook.props.refusals import details_of
from workbook.stack import LocalStack
from workbook.tasks.phase5.exact_limit import ExactLimit
from workbook.tasks.phase5.given_calls import ADAS, CALLERS, UNKNOWN, calls, right_refusal
from workbook.tasks.phase5.given_requests import BODIES, made_up, refusals
from workbook.tasks.phase5.t06_problem import STATUSES as TASK_STATUSES
from workbook.tasks.phase5.t08_may import check as check_may


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    make_keys(tmp_path, ["user-service"])
    return tmp_path


@pytest.fixture
def key(keys_folder: Path) -> ECKey:
    return own_keys(keys_folder, "user-service")[0]


@pytest.fixture
def verifier(key: ECKey) -> Verifier:
    return Verifier(KnownKeys(user_keys(published([key]))))


async def test_the_system_refuses_every_forgery_and_takes_what_they_are_made_from(
    key: ECKey, verifier: Verifier
) -> None:
    forger = Forger(key, time.time())
    assert await verifier.caller(forger.right()) == Caller("ada", frozenset({"customer"}))
    for what, token in forger.forgeries():
        with pytest.raises(InvalidToken):
            pytest.fail(f"{what} is let in, as {await verifier.caller(token)}")


def test_every_forgery_differs_from_the_right_one_and_from_the_others(key: ECKey) -> None:
    forged = [token for _, token in Forger(key, time.time()).forgeries()]
    assert len({*forged}) == len(forged) > 20
    assert all(token.count(".") == 2 for token in forged)


async def test_somebody_signed_in_is_who_their_token_says(tmp_path: Path, verifier: Verifier, key: ECKey) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "user-service.json").write_text(json.dumps({"keys": [key.as_dict(private=True)]}))
    person = signed_in(cast("LocalStack", SimpleNamespace(folder=tmp_path)), "organiser")
    assert await verifier.caller(person.token) == Caller(person.id, frozenset({"organiser"}))
    assert person.headers == {"Authorization": person.metadata[0][1]}


@pytest.mark.parametrize(("life", "signed"), [(600, 1), (0, 3)], ids=["good for a while", "old at once"])
def test_who_has_an_old_token_signs_in_again(life: float, signed: int) -> None:
    tokens: list[str] = []

    def sign_in() -> tuple[str, float]:
        tokens.append(f"token-{len(tokens)}")
        return tokens[-1], life

    person = Person("ada", sign_in)
    assert [person.token for _ in range(3)][-1] == tokens[-1]
    assert len(tokens) == signed


async def test_who_may_what_in_the_task_is_what_the_system_says() -> None:
    """The rules that the services run with, asked about every call of the check."""
    database = SimpleNamespace(connection=_one_booking)
    rules: dict[str, Rule] = {**EVENT_RULES, **booking_rules(cast("Any", database))}
    for caller in CALLERS.values():
        for method, request in calls():
            if getattr(request, "booking_id", None) == "":
                continue  # no id at all: the services refuse it further in
            assert await _refusal(rules, caller, method, request) is right_refusal(caller, method, request), (
                caller,
                method,
            )


async def _refusal(rules: dict[str, Rule], caller: Caller, method: str, request: Any) -> type[Exception] | None:
    if method in OPEN_EVENTS:
        return None
    if method not in rules:
        return NotAllowed
    try:
        await rules[method](caller, request)
    except ServiceError as refusal:
        return type(refusal)
    return None


@asynccontextmanager
async def _one_booking() -> Any:
    """A database with one booking in it."""

    class Rows:
        def __init__(self, booking_id: uuid.UUID) -> None:
            self._found = ("ada",) if str(booking_id) == ADAS else None

        async def fetchone(self) -> tuple[str] | None:
            return self._found

    class Connection:
        async def execute(self, _: str, values: list[uuid.UUID]) -> Rows:
            return Rows(values[0])

    yield Connection()


@pytest.mark.parametrize("refusal", [None, NotAllowed("no")], ids=["allows everything", "refuses everything"])
async def test_a_rule_without_a_table_fails_its_check(refusal: Exception | None) -> None:
    async def may(*_: Any) -> None:
        if refusal is not None:
            raise refusal

    with pytest.raises(Wrong):
        await check_may(may)


def test_the_methods_that_nobody_knows_are_none_of_the_system() -> None:
    assert not {*UNKNOWN} & {*EVENT_RULES, *OPEN_EVENTS, *booking_rules(cast("Any", None))}


def test_bodies_are_right_and_wrong_as_the_gateway_says() -> None:
    judged = {True: 0, False: 0}
    for sent in (*BODIES, *made_up(500)):
        wrong = {each for each in refusals(sent) if each[1] != "Idempotency-Key"}
        judged[not wrong] += 1
        assert _taken(sent.body) is not bool(wrong), sent
    assert min(judged.values()) > 50


def _taken(body: bytes) -> bool:
    try:
        NewBooking.model_validate_json(body)
    except ValidationError:
        return False
    return True


def test_statuses_are_the_gateways() -> None:
    assert {code: int(status) for code, status in STATUSES.items()} == TASK_STATUSES


@pytest.mark.parametrize("amount", [1, 3, 10])
async def test_the_exact_limit_and_the_gateways_say_the_same(amount: int) -> None:
    """Two programs, one of whole numbers, one of floats; the gateway's rounds up to seconds."""
    now, random = [64.0 * 1000], Random(amount)  # noqa: S311 - the same times each time
    exact, own = ExactLimit(amount, 64), OwnWindows(lambda: now[0])
    let_in = 0
    for _ in range(1000):
        now[0] += random.choice((0, 0, 0.5, 2, 16, 64 + 16))
        allowed, remaining, retry_after = exact.take(now[0])
        taken = await own.take(Policy("user", amount, 64), "ada")
        assert (taken.allowed, taken.remaining) == (allowed, remaining)
        assert allowed or taken.more_in - 1 <= retry_after <= taken.more_in
        let_in += allowed
    assert 100 < let_in < 1000


@pytest.mark.parametrize(
    "work", [lambda n: sum(each for each in range(n)), lambda n: [each for each in range(n) if each]]
)
def test_steps_are_counted_round_by_round_in_what_is_called(work: Callable[[int], object]) -> None:
    assert steps(lambda: work(10)) == steps(lambda: work(10))
    assert steps(lambda: work(1000)) > 50 * steps(lambda: work(10))


class Register:
    def __init__(self) -> None:
        self.by_name = {"ada": 1}
        self._more = [("eve", {"bob"})]


def test_what_an_object_holds_is_found_wherever_it_lies() -> None:
    assert held(Register(), {"ada", "eve", "bob", "zoe"}) == 3


def test_what_is_forgotten_is_not_held() -> None:
    register = Register()
    register.by_name.clear()
    assert held(register, {"ada"}) == 0


class Full(errors.ResourceExhausted):
    reason = "FULL"
    retry_after = 6.2


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (Full("too much"), {"code": grpc.StatusCode.RESOURCE_EXHAUSTED, "reason": "FULL", "retry_after": 7.0}),
        (
            errors.InvalidArgument("colour", "must be one"),
            {
                "code": grpc.StatusCode.INVALID_ARGUMENT,
                "reason": "INVALID_FIELD",
                "fields": (("colour", "must be one"),),
            },
        ),
    ],
)
def test_a_refusal_is_taken_apart(refusal: ServiceError, told: dict[str, Any]) -> None:
    status = rpc_status.to_status(status_of(refusal, "words.WordService"))
    error = grpc.aio.AioRpcError(
        status.code, grpc.aio.Metadata(), grpc.aio.Metadata(*status.trailing_metadata), status.details
    )
    assert details_of(error) == {"text": str(refusal), **told}


def test_a_refusal_without_details_has_none() -> None:
    error = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "away")
    assert details_of(error) == {"code": grpc.StatusCode.UNAVAILABLE, "text": "away"}


async def test_who_guesses_comes_from_where_they_say_with_a_new_account_each_time() -> None:
    seen: list[tuple[str, str]] = []

    async def note(request: Request) -> Response:
        seen.append((request.headers["x-forwarded-for"], (await request.json())["email"]))
        return JSONResponse({}, 401)

    async with served(note, "/v1/sessions") as address:
        answers = await guesses(address, ["203.0.113.7", "203.0.113.8"])
        await guesses(address, ["203.0.113.7"] * 2, account="ada")
    assert [answer.status_code for answer in answers] == [401, 401]
    assert [each for each, _ in seen] == ["203.0.113.7", "203.0.113.8", "203.0.113.7", "203.0.113.7"]
    assert len({email for _, email in seen[:2]}) == 2
    assert len({email for _, email in seen[2:]}) == 1


async def test_nobody_listens_after_the_block() -> None:
    async def answer(_: Request) -> Response:
        return Response(b"here")

    async with served(answer, "/") as address, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"http://{address}/")).content == b"here"
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(f"http://{address}/")


async def test_what_an_answer_raises_ends_the_block_and_its_client_hears_500() -> None:
    async def answer(_: Request) -> Response:
        raise NotImplementedError("not written yet")

    heard = []
    with pytest.raises(NotImplementedError, match="not written yet"):
        async with served(answer, "/") as address, httpx.AsyncClient(trust_env=False) as client:
            heard.append((await client.post(f"http://{address}/")).status_code)
    assert heard == [500]
