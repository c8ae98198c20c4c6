"""Asking the user service for its keys, for whoever verifies tokens."""

from collections.abc import Awaitable, Callable

import grpc
from chassis.errors import Unavailable

from user_service.proto import user_pb2 as pb
from user_service.proto import user_pb2_grpc


def keys_of(channel: grpc.aio.Channel) -> Callable[[], Awaitable[str]]:
    """A function that returns the JWK Set as JSON, or raises Unavailable. No token goes along: the call is open."""
    users = user_pb2_grpc.UserServiceStub(channel)

    async def ask() -> str:
        try:
            return str((await users.GetKeys(pb.GetKeysRequest())).jwks_json)
        except grpc.aio.AioRpcError as error:
            raise Unavailable(f"the user service does not answer: {error.code().name}") from error

    return ask
