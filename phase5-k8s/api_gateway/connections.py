"""The connection itself: how many there may be, how long a request's head may be, and how long it may take."""

import json
from asyncio import Transport
from asyncio.events import TimerHandle
from collections import Counter
from http import HTTPStatus
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api_gateway.addresses import Addresses, counted
from api_gateway.config import GatewaySettings

_DETAILS = {
    HTTPStatus.BAD_REQUEST: ("MALFORMED_REQUEST", "this is no HTTP request that could be understood in one way only"),
    HTTPStatus.REQUEST_TIMEOUT: ("SLOW_HEAD", "the head of the request did not come in time"),
    HTTPStatus.TOO_MANY_REQUESTS: ("TOO_MANY_WAITING", "too many requests wait on this connection to be answered"),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ("HEAD_TOO_LARGE", "the head of the request is too large"),
    HTTPStatus.SERVICE_UNAVAILABLE: ("TOO_MANY_CONNECTIONS", "too many connections are open; try again later"),
}

_WAITING = 8  # requests of a connection behind the one that is answered: a small one takes forty times its own bytes


class Door:
    """Who is in: at most so many connections, and so many of one client unless it is a proxy of ours."""

    def __init__(self, settings: GatewaySettings, addresses: Addresses) -> None:
        self.head_limit = settings.header_limit
        self.head_timeout = settings.header_timeout
        self._most = settings.connections
        self._per_address = settings.connections_per_address
        self._addresses = addresses
        self._inside: Counter[str] = Counter()
        self._count = 0

    def enter(self, address: str) -> bool:
        """Whether there is room; who is let in has to leave."""
        client = self._client(address)
        crowded = self._inside[client] >= self._per_address and not self._addresses.trusts(address)
        if crowded or self._count >= self._most:
            return False
        self._inside[client] += 1
        self._count += 1
        return True

    def leave(self, address: str) -> None:
        client = self._client(address)
        self._count -= 1
        self._inside[client] -= 1
        if not self._inside[client]:
            del self._inside[client]

    def _client(self, address: str) -> str:
        """As which it is counted; a proxy of ours takes no place of its neighbours in a network."""
        return address if self._addresses.trusts(address) else counted(address)


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's own, which bounds neither heads nor their time nor what waits behind them nor idle connections."""

    def __init__(self, door: Door, **given: Any) -> None:
        super().__init__(**given)
        self._door = door
        self._address = ""
        self._inside = False
        self._in_head = True
        self._begun = False  # whether the first byte of a head has come
        self._received = 0  # bytes of it, in pieces after the one that it began in
        self._size = 0  # of what the parser has made of it
        self._refusal = HTTPStatus.BAD_REQUEST  # of what the parser does not read on
        self._timer: TimerHandle | None = None
        self._answered: RequestResponseCycle | None = None  # `cycle` is the newest one, which may still wait

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        self._inside = self._door.enter(self._address)
        if self._inside:
            self._wait_for_head()
        else:
            self._end_with(HTTPStatus.SERVICE_UNAVAILABLE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_over()
        if self._inside:
            self._door.leave(self._address)
            self._inside = False
        super().connection_lost(exc)
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True  # uvicorn tells `cycle` alone, and a stream before it would never end
            self._answered.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head and self._begun
        idle, self.timeout_keep_alive_task = self.timeout_keep_alive_task, None  # uvicorn would stop it at any byte
        super().data_received(data)
        self._go_on_idling(idle)
        self._received += len(data) if was_in_head else 0
        if self._in_head and self._received > self._door.head_limit and not self.transport.is_closing():
            self._end_with(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _go_on_idling(self, timer: TimerHandle | None) -> None:
        """Only a request ends idleness: neither a line end before it nor the body of one that was refused unread."""
        if timer is None:
            return
        if self._begun or not self.cycle.response_complete:
            timer.cancel()
        else:
            self.timeout_keep_alive_task = timer

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = self._begun = True
        self._received = self._size = 0
        self._wait_for_head()

    def on_url(self, url: bytes) -> None:
        self._grow(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what comes behind a body would be added to headers that were looked at long ago
            self._grow(len(name) + len(value))
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = self._begun = False
        self._head_is_over()
        if len(self.pipeline) >= _WAITING:
            self._stop(HTTPStatus.TOO_MANY_REQUESTS)
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not or should not read; `msg` says no more than that."""
        del msg
        self._end_with(self._refusal)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._door.head_limit:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _stop(self, refusal: HTTPStatus) -> NoReturn:
        """Only an exception stops the parser, which then has `send_400_response` called."""
        self._refusal = refusal
        raise ValueError(refusal.phrase)

    def _wait_for_head(self) -> None:
        self._head_is_over()
        self._timer = self.loop.call_later(self._door.head_timeout, self._too_slow)

    def _head_is_over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        if self._begun:
            self._end_with(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()  # it never asked for anything

    def _end_with(self, status: HTTPStatus) -> None:
        self._head_is_over()
        if not self.transport.is_closing():
            self.transport.write(_ANSWERS[status])
            self.transport.close()


def _answer(status: HTTPStatus) -> bytes:
    reason, detail = _DETAILS[status]
    title = status.phrase
    body = json.dumps(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, "reason": reason, "trace_id": ""}
    ).encode()
    head = (
        f"HTTP/1.1 {status.value} {title}\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


_ANSWERS = {status: _answer(status) for status in _DETAILS}
