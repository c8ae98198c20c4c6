"""The token on its way: `authorization: Bearer …` in the metadata of a call."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc

from access.callers import InvalidToken

HEADER = "authorization"


def bearer_of(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """The token that came along, None without one; raises InvalidToken for anything that is not exactly one."""
    found = [value for key, value in metadata if key == HEADER]
    if not found:
        return None
    scheme, _, token = found[0].partition(" ") if isinstance(found[0], str) else ("", "", "")
    if len(found) > 1 or scheme.lower() != "bearer" or not token:
        raise InvalidToken("write one header: authorization: Bearer TOKEN")
    return token


class CarryToken(grpc.aio.UnaryUnaryClientInterceptor):
    """Sends a token along with each call; `token` gives the one to use now."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Awaitable[Any]],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        asked = client_call_details
        metadata = grpc.aio.Metadata(*(asked.metadata or ()))
        metadata[HEADER] = f"Bearer {self._token()}"
        details = grpc.aio.ClientCallDetails(
            asked.method, asked.timeout, metadata, asked.credentials, asked.wait_for_ready
        )
        return await continuation(details, request)
