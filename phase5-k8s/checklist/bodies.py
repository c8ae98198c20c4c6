"""A request whose body is larger than anybody should read, sent piece by piece."""

import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

from checklist.asking import JSON, Answer, Headers, Line
from checklist.gateway import Exchange, Gateway

_PIECE = b" " * 65_536


def send_large(gateway: Gateway, path: str, token: str, size: int) -> Answer | None:
    """The answer, which may come before all of it is sent; None where the line is cut off, as a server may."""
    with Line(gateway.address, gateway.system.patience) as line:
        headers = {"Content-Type": JSON, "Content-Length": str(size), "Authorization": f"Bearer {token}"}
        with suppress(OSError):  # who refuses it does not read on
            _send(line.connection, path, headers, size, time.monotonic() + gateway.system.patience)
        try:
            found = line.answer(f"POST {path} with {size >> 20} megabytes")
        except (OSError, HTTPException):
            return None
    gateway.exchanges.append(Exchange("POST", path, found))
    return found


def _send(connection: HTTPConnection, path: str, headers: Headers, size: int, deadline: float) -> None:
    connection.putrequest("POST", path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(size // len(_PIECE)):
        connection.send(_PIECE)
        if time.monotonic() > deadline:
            return
