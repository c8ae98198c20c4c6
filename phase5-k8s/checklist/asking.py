"""Requests over HTTP as the checks send them, and answers as they judge them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any, Self

from workbook.checks.verdict import expect

JSON, PROBLEM = "application/json", "application/problem+json"
Headers = Mapping[str, str]
_LONGEST = 160  # characters of an answer that are told


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `asked` says in words for what, such as "GET /v1/events". Headers have names in small letters."""

    asked: str
    status: int
    headers: Headers
    text: str

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def content(self) -> Any:
        """The JSON in it; None where there is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_missing(self) -> bool:
        """Whether nobody listens for such a request there."""
        return self.status in {404, 405, 501}

    def ok(self) -> Any:
        """The JSON; Wrong unless it succeeded."""
        expect(self.succeeded, self.told(), "answer 2xx: this request is right")
        return self.content

    def refused(self, *statuses: int, todo: str) -> None:
        """Wrong unless it was refused with one of these."""
        expect(self.status in statuses, self.told(), todo)

    def told(self) -> str:
        said = " ".join(self.text.split())[:_LONGEST]
        return f"{self.asked} answered {self.status}" + (f" ({said})" if said else "")


class Line:
    """A connection that is kept, for many requests one after the other."""

    def __init__(self, address: str, patience: float) -> None:
        host, _, port = address.rpartition(":")
        self.connection = HTTPConnection(host.strip("[]"), int(port), timeout=patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def ask(self, method: str, path: str, headers: Headers, body: bytes | None, asked: str = "") -> Answer:
        """One request; raises OSError, HTTPException."""
        self.connection.request(method, path, body, dict(headers))
        return self.answer(asked or f"{method} {path}")

    def answer(self, asked: str) -> Answer:
        """What comes back for a request that was sent."""
        answer = self.connection.getresponse()
        text = answer.read().decode(errors="replace")
        return Answer(asked, answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)


def field(thing: Any, name: str) -> Any:
    """The value of a field of a JSON object, whose name is written with_underlines or inCamelCase; None without."""
    if not isinstance(thing, Mapping):
        return None
    first, *rest = name.split("_")
    return thing.get(name, thing.get(first + "".join(word.capitalize() for word in rest)))


def inside(content: Any, name: str) -> Any:
    """What an answer is about: the content itself, or what it holds by this name."""
    return content[name] if isinstance(content, Mapping) and isinstance(content.get(name), (Mapping, list)) else content
