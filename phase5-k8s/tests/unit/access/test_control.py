"""Before every method: who is calling, and may they. Over real channels."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from access import bookings, events
from access.bearer import CarryToken
from access.callers import NOBODY, Role, caller
from access.control import AccessControl, Rule, anyone, roles
from access.verifying import Verifier
from booking_service.proto import booking_pb2
from chassis.interceptor import Context
from event_service.proto import event_pb2
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from tests.refusals import refusal
from tests.tokens import bearer, by_hand, service_token, user_token
from tests.words import KINDS, METHOD, SERVICE, Word, answers, channel_to, one, open_call, serving
from user_service import may
from user_service.proto import user_pb2

UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED
ORGANISERS: Mapping[str, Rule] = {METHOD["unary_unary"]: roles(Role.ORGANISER)}


async def who(_request: Any, _context: Context) -> Word:
    return Word(value=caller().id)


@asynccontextmanager
async def guarded(
    verifier: Verifier, table: Mapping[str, Rule], open_to_all: tuple[str, ...] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    control = AccessControl(verifier, table, open_to_all)
    async with serving(one("unary_unary", who), inside=[control]) as server, channel_to(server) as channel:
        yield channel


def asked(channel: grpc.aio.Channel, *metadata: tuple[str, str]) -> Any:
    call: Any = channel.unary_unary(
        METHOD["unary_unary"], request_serializer=Word.SerializeToString, response_deserializer=Word.FromString
    )
    return call(Word(), metadata=metadata)


async def test_who_may_is_let_in_and_known(verifier: Verifier, keys_folder: Path) -> None:
    async with guarded(verifier, ORGANISERS) as channel:
        answer = await asked(channel, *bearer(user_token(keys_folder, "ada", Role.ORGANISER)))
    assert answer.value == "ada"


async def test_who_may_not_is_refused(verifier: Verifier, keys_folder: Path) -> None:
    async with guarded(verifier, ORGANISERS) as channel:
        assert (await refusal(asked(channel)))[:2] == (UNAUTHENTICATED, "NO_TOKEN")
        for token in (user_token(keys_folder, "ada"), service_token(keys_folder)):
            assert (await refusal(asked(channel, *bearer(token))))[:2] == (DENIED, "NOT_ALLOWED")


async def test_a_method_that_nobody_listed_is_refused_even_to_an_admin(verifier: Verifier, keys_folder: Path) -> None:
    async with guarded(verifier, {}) as channel:
        assert (await refusal(asked(channel, *bearer(user_token(keys_folder, "ada", Role.ADMIN))))).code is DENIED


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_method_is_guarded(verifier: Verifier, kind: str) -> None:
    async def once(_request: Any, _context: Context) -> Word:
        return Word()

    async def stream(_request: Any, _context: Context) -> AsyncIterator[Word]:
        yield Word()

    method = one(kind, stream if kind.endswith("stream") else once)
    control = AccessControl(verifier, {METHOD[kind]: roles(Role.ADMIN)})
    for inside, code in (([], None), ([control], UNAUTHENTICATED)):  # without it, all get in: the control of this test
        async with serving(method, inside=inside) as server, channel_to(server) as channel:
            assert await _code(channel, kind) == code


async def _code(channel: grpc.aio.Channel, kind: str) -> grpc.StatusCode | None:
    try:
        await answers(open_call(channel, kind, Word()))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


async def test_no_header_but_the_token_says_who_is_calling(verifier: Verifier, keys_folder: Path) -> None:
    pretending = [(name, "eve") for name in ("x-user-id", "x-forwarded-user", "user", "sub", "x-client-address")]
    async with guarded(verifier, {METHOD["unary_unary"]: anyone}) as channel:
        assert (await asked(channel, *pretending)).value == NOBODY.id
        answer = await asked(channel, *pretending, ("x-roles", "admin"), *bearer(user_token(keys_folder, "ada")))
    assert answer.value == "ada"


async def test_two_tokens_are_none(verifier: Verifier, keys_folder: Path) -> None:
    ada, eve = (bearer(user_token(keys_folder, name, Role.ORGANISER)) for name in ("ada", "eve"))
    async with guarded(verifier, ORGANISERS) as channel:
        for pair in ((*ada, *eve), (*eve, *ada), (*ada, *ada)):
            assert (await refusal(asked(channel, *pair)))[:2] == (UNAUTHENTICATED, "INVALID_TOKEN")


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "x", "Bearer a b", "Bearer " + "a" * 5000]
)
async def test_what_is_no_bearer_token_is_refused(verifier: Verifier, value: str) -> None:
    async with guarded(verifier, {METHOD["unary_unary"]: anyone}) as channel:
        assert (await refusal(asked(channel, ("authorization", value))))[:2] == (UNAUTHENTICATED, "INVALID_TOKEN")


async def test_the_scheme_may_be_written_in_any_case(verifier: Verifier, keys_folder: Path) -> None:
    async with guarded(verifier, ORGANISERS) as channel:
        token = user_token(keys_folder, "ada", Role.ORGANISER)
        assert (await asked(channel, ("authorization", f"bearer {token}"))).value == "ada"


async def test_health_reflection_and_open_methods_ask_for_nothing(verifier: Verifier) -> None:
    bad = bearer(by_hand({"alg": "none"}, {"sub": "eve"}))
    async with guarded(verifier, {}, (METHOD["unary_unary"],)) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        assert (await health.Check(health_pb2.HealthCheckRequest(), metadata=bad)).status
        assert (await asked(channel, *bad)).value == ""


async def test_reflection_is_open(verifier: Verifier) -> None:
    control = AccessControl(verifier, {})
    async with serving(one("unary_unary", who), inside=[control]) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            listed = await asyncio.to_thread(ProtoReflectionDescriptorDatabase(channel).get_services)
    assert SERVICE in set(listed)


async def test_bytes_that_are_no_message_are_refused_after_the_caller(verifier: Verifier, keys_folder: Path) -> None:
    async with guarded(verifier, ORGANISERS) as channel:
        raw: Any = channel.unary_unary(METHOD["unary_unary"])
        assert (await refusal(raw(b"\xff\xff"))).code is UNAUTHENTICATED
        may_call = bearer(user_token(keys_folder, "ada", Role.ORGANISER))
        assert (await refusal(raw(b"\xff\xff", metadata=may_call))).code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_token_goes_along_with_calls_and_replaces_any_other(verifier: Verifier, keys_folder: Path) -> None:
    token = user_token(keys_folder, "ada", Role.ORGANISER)
    async with (
        serving(one("unary_unary", who), inside=[AccessControl(verifier, ORGANISERS)]) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", interceptors=[CarryToken(lambda: token)]) as channel,
    ):
        assert (await asked(channel, *bearer("other"), ("x-other", "stays"))).value == "ada"


TABLES: list[tuple[ServiceDescriptor, set[str]]] = [
    (booking_pb2.DESCRIPTOR.services_by_name["BookingService"], set(bookings.booking_rules(None))),  # type: ignore[arg-type]  # it is only kept
    (event_pb2.DESCRIPTOR.services_by_name["EventService"], {*events.RULES, *events.OPEN}),
    (user_pb2.DESCRIPTOR.services_by_name["UserService"], {*may.RULES, *may.OPEN}),
]


@pytest.mark.parametrize(("service", "table"), TABLES, ids=lambda value: getattr(value, "name", ""))
def test_the_table_says_something_of_every_method_and_of_no_other(service: ServiceDescriptor, table: set[str]) -> None:
    assert table == {f"/{service.full_name}/{method.name}" for method in service.methods}


def test_what_is_open_has_no_rule_that_nobody_asks() -> None:
    assert not set(events.OPEN) & set(events.RULES)
    assert not set(may.OPEN) & set(may.RULES)
