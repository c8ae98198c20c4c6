"""The gateway as the checks use it: its requests by their everyday names, and all of its answers kept."""

import json
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from checklist.asking import JSON, PROBLEM, Answer, Headers, Line

from workbook.checks.parts import GATEWAY, answers_within
from workbook.checks.system import System
from workbook.checks.verdict import Wrong, not_run

ADDITION = "an addition to the roadmap, see phase5-k8s/README.md"
NOTHING = object()
EVENTS, BOOKINGS, USERS, SESSIONS = (f"/v1/{what}" for what in ("events", "bookings", "users", "sessions"))


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was sent, and what came back."""

    method: str
    path: str
    answer: Answer


class Gateway:
    """At one address; each request has a connection of its own."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.address = system.address(GATEWAY)
        self.exchanges: list[Exchange] = []

    def ask(
        self,
        method: str,
        path: str,
        case: str = "",
        *,
        token: str = "",
        body: object = NOTHING,
        headers: Headers | None = None,
    ) -> Answer:
        """One request; Wrong if no answer comes. `body` is sent as JSON, and bytes as they are."""
        asked = f"{method} {path} {case}".strip()
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= {"Content-Type": JSON} if body is not NOTHING else {}
        try:
            with Line(self.address, self.system.patience) as line:
                answer = line.ask(method, path, {**sent, **(headers or {})}, _raw(body), asked)
        except (OSError, HTTPException) as problem:
            raise self._silent(asked, problem) from problem
        self.exchanges.append(Exchange(method, path, answer))
        return answer

    def at_once(self, times: int, *request: Any, **more: Any) -> list[Answer]:
        """The same request from many lines together."""
        with ThreadPoolExecutor(times) as pool:
            return [sent.result() for sent in [pool.submit(self.ask, *request, **more) for _ in range(times)]]

    def told_problems(self) -> bool:
        """Whether refusals come as RFC 9457 has them: then all of them are held to it."""
        return any(exchange.answer.kind == PROBLEM for exchange in self.exchanges)

    def refusals(self) -> Sequence[Answer]:
        return [exchange.answer for exchange in self.exchanges if exchange.answer.status >= 400]

    def _silent(self, asked: str, problem: Exception) -> Wrong:
        if not answers_within(GATEWAY, self.address, self.system.patience):
            self.system.gone = asked
            return Wrong(f"{asked}: the gateway went away", "read the end of its log; no request may end the process")
        said = f"{asked} got no answer within {self.system.patience:g} s ({type(problem).__name__})"
        return Wrong(said, "answer in time, and every request: also one that is refused")


def _raw(body: object) -> bytes | None:
    if body is NOTHING or isinstance(body, bytes):
        return body if isinstance(body, bytes) else None
    return json.dumps(body).encode()


def event_path(event_id: str) -> str:
    return f"{EVENTS}/{quote(event_id, safe='')}"


def booking_path(booking_id: str) -> str:
    return f"{BOOKINGS}/{quote(booking_id, safe='')}"


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def needs_path(answer: Answer, path: str) -> None:
    """Ends the check without a verdict where nobody listens: the roadmap names no paths."""
    if answer.is_missing:
        not_run(f"needs {path}: the roadmap names no paths, those are in phase5-k8s/README.md")
