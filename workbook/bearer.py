"""A token with every call of a channel: from phase 5 on the services ask who is calling."""

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import grpc

TOKEN = "TICKETS_TOKEN"  # noqa: S105 - the name of an environment variable, where people put theirs
Token: TypeAlias = Callable[[], str]
"""Gives the token that is good now."""


def token_of_shell() -> Token | None:
    """The one in the environment, if there is one."""
    given = os.environ.get(TOKEN)
    return (lambda: given) if given else None


def with_token(channel: grpc.Channel, token: Token | None) -> grpc.Channel:
    """The channel, sending the token along; as it is where there is none."""
    return channel if token is None else grpc.intercept_channel(channel, _Carry(token))


class _Details(grpc.ClientCallDetails):
    def __init__(self, asked: Any, metadata: tuple[tuple[str, str | bytes], ...]) -> None:
        self.method, self.timeout, self.credentials = asked.method, asked.timeout, asked.credentials
        self.wait_for_ready, self.compression = asked.wait_for_ready, asked.compression
        self.metadata = metadata


class _Carry(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):
    def __init__(self, token: Token) -> None:
        self._token = token

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._carrying(client_call_details), request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return continuation(self._carrying(client_call_details), request)

    def _carrying(self, asked: Any) -> grpc.ClientCallDetails:
        return _Details(asked, (*(asked.metadata or ()), ("authorization", f"Bearer {self._token()}")))
