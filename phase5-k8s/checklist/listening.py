"""Server-sent events, as a browser reads them."""

import json
import time
from http.client import HTTPException
from typing import Any

from checklist.asking import Line
from checklist.gateway import ADDITION, Gateway, event_path

from workbook.checks.verdict import expect, not_run

_KIND = "text/event-stream"


class Stream:
    """What comes, message by message."""

    def __init__(self, answer: Any, patience: float) -> None:
        self._answer = answer
        self._patience = patience

    def next(self) -> Any:
        """The next message's data; Wrong if none comes in time."""
        found = self.maybe()
        expect(found is not None, "a stream of availability told nothing", "send `data: {…}` and a blank line at once")
        return found

    def maybe(self) -> Any:
        """The next message's data; None if none comes in time, or the stream ends."""
        deadline = time.monotonic() + self._patience
        data: list[str] = []
        while time.monotonic() < deadline:
            try:
                line = self._answer.readline().decode(errors="replace")
            except (OSError, HTTPException):
                return None
            if not line:
                return None
            if line.startswith("data:"):
                data.append(line[5:].strip())
            elif not line.strip() and data:
                return _read("".join(data))
        return None


class Listening:
    """The stream of an event's availability, while the block lasts."""

    def __init__(self, gateway: Gateway, event_id: str) -> None:
        self._path = f"{event_path(event_id)}/availability"
        self._patience = gateway.system.patience
        self._line = Line(gateway.address, self._patience)

    def __enter__(self) -> Stream:
        self._line.connection.request("GET", self._path, headers={"Accept": _KIND})
        answer = self._line.connection.getresponse()
        kind = answer.headers.get_content_type()
        if answer.status in {404, 405, 501}:
            not_run(f"needs GET /v1/events/{{event_id}}/availability: {ADDITION}")
        said = f"GET {self._path} answered {answer.status} as {kind}"
        expect(answer.status == 200 and kind == _KIND, said, f"answer 200 and {_KIND}")
        return Stream(answer, self._patience)

    def __exit__(self, *_: object) -> None:
        self._line.connection.close()


def _read(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        expect(False, f"a stream of availability told {data[:80]}", "send JSON as its data")
