"""Bodies are read here, whole and before everything else: not too large, not too slowly, and JSON."""

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_gateway.edge import ClientLeft
from api_gateway.problems import Problem

_LINGER = 2.0  # seconds that a large body is still read: a client that is cut off while it writes sees no answer
_CLOSE = {"Connection": "close"}


class Bodies:
    def __init__(self, app: ASGIApp, limit: int, timeout: float) -> None:
        self._app = app
        self._limit = limit
        self._timeout = timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(headers, receive)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
            return
        await self._app(scope, _read_before(body, receive), send)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        if int(headers.get(b"content-length", b"0")) > self._limit:
            raise self._too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                while await _more(receive, body):
                    if len(body) > self._limit:
                        raise self._too_large()
        except TimeoutError:
            detail = f"the body did not come within {self._timeout:g} s"
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, "SLOW_BODY", detail, headers=_CLOSE) from None
        if len(body) > self._limit:
            raise self._too_large()
        if body and not _is_json(headers.get(b"content-type", b"")):
            detail = "send a body as application/json"
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "NOT_JSON", detail, headers={"Accept": "application/json"})
        return bytes(body)

    def _too_large(self) -> Problem:
        detail = f"a body has at most {self._limit:,} bytes"
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BODY_TOO_LARGE", detail, headers=_CLOSE)


async def _more(receive: Receive, body: bytearray) -> bool:
    """Whether there is more after this piece."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body += message.get("body", b"")
    return bool(message.get("more_body", False))


def _read_before(body: bytes, receive: Receive) -> Receive:
    """Gives the body once, and then what comes after it: that the client has left."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers, goes on reading for a moment, and only then ends the answer, and with it the connection."""

    async def lingering(message: Message) -> None:
        if message["type"] == "http.response.body":
            await send({**message, "more_body": True})
            if problem.status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                await _linger(receive)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    await problem.answer()(scope, receive, lingering)


async def _linger(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_LINGER):
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
    except TimeoutError:
        return


def _is_json(written: bytes) -> bool:
    return written.split(b";")[0].strip().lower() == b"application/json"
