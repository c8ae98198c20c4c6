"""Stands before every method of a service: who is calling, and may they? What is not in the table is refused."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from chassis.interceptor import Around, Call
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from access.bearer import bearer_of
from access.callers import NOBODY, Caller, NotAllowed, NotAuthenticated, Role, note
from access.verifying import Verifier

Rule: TypeAlias = Callable[[Caller, Any], Awaitable[None]]
"""Judges a caller and what they ask for: returns, or raises a refusal."""

_ALWAYS_OPEN = (health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR)
_REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"  # the newer name of the same


class AccessControl(Around):
    """Plug it in `inside`: it raises refusals.

    `table` has a rule for each method by its full name; whoever calls one of `open_to_all` is not even asked for a
    token, as with health and reflection.
    """

    def __init__(self, verifier: Verifier, table: Mapping[str, Rule], open_to_all: Collection[str] = ()) -> None:
        self._verifier = verifier
        self._table = table
        self._open = {*open_to_all, *_methods_always_open()}

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        if call.method not in self._open:
            await self._judge(call)
        yield

    async def _judge(self, call: Call) -> None:
        rule = self._table.get(call.method)
        if rule is None:
            raise NotAllowed("nobody may call this method")
        token = bearer_of(call.context.invocation_metadata() or ())
        caller = NOBODY if token is None else await self._verifier.caller(token)
        note(caller)
        # Bytes that are no message are refused further in, but only those of a caller who may call at all.
        await rule(caller, call.request if isinstance(call.request, Message) else None)


def roles(*allowed: Role) -> Rule:
    """For callers with one of these roles."""

    async def rule(caller: Caller, request: Any) -> None:
        del request
        must_have(caller, *allowed)

    return rule


async def anyone(caller: Caller, request: Any) -> None:
    """For all; but a token that comes along has to be right."""
    del caller, request


def must_have(caller: Caller, *allowed: Role) -> None:
    """Raises NotAuthenticated without a token, NotAllowed without one of the roles."""
    if not caller.known:
        raise NotAuthenticated("this call needs a token: authorization: Bearer TOKEN")
    if not caller.has(*allowed):
        raise NotAllowed(f"only for {' or '.join(allowed)}")


def _methods_always_open() -> list[str]:
    services = [service for file in _ALWAYS_OPEN for service in file.services_by_name.values()]
    return [_REFLECTION, *(f"/{service.full_name}/{method.name}" for service in services for method in service.methods)]
