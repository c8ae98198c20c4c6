"""One user who asks as often as they can, over one line."""

import re
import time
from http.client import HTTPException
from typing import Self

from checklist.asking import Answer, Line
from checklist.gateway import BOOKINGS, Exchange, Gateway
from checklist.people import Person

MOST = 2_000  # requests, where no limit is told
PRETENDED = 200
FURTHEST = 6_000  # however high a limit is told
_A_MINUTE = 60
_TOLD = (("ratelimit-policy", r"q=(\d+)"), ("ratelimit-limit", r"(\d+)"), ("x-ratelimit-limit", r"(\d+)"))


class Rush:
    """`limit` is what answers told of it, 0 where none did; `refusal` the first 429; `sent` how many there were.

    `got_through` is how many came after it with an address made up, one after the other, until one was refused, too.
    """

    def __init__(self, gateway: Gateway, who: Person) -> None:
        self._gateway = gateway
        self._headers = {"Authorization": f"Bearer {who.token}"}
        self.path = f"{BOOKINGS}/x"  # which costs nobody anything, and counts
        self.limit, self.window, self.sent, self.seconds = 0, _A_MINUTE, 0, 0.0
        self.refusal: Answer | None = None
        self.got_through = 0

    def go(self) -> Self:
        """Asks until a 429 comes, or more often than it was told that one may."""
        first = self._gateway.ask("GET", self.path, "that is none", headers=self._headers)
        self.limit, self.window = told_limit(first), told_window(first)
        most = min(2 * self.limit + 5, FURTHEST) if self.limit else MOST
        began = time.monotonic()
        while self.sent < most and self.refusal is None:
            self._some(most)
        self.seconds = time.monotonic() - began
        if self.refusal is not None:
            self._pretend()
        return self

    @property
    def was_slow(self) -> bool:
        """Whether so many requests are within the limit, in the time that they took: a window moves on meanwhile."""
        return self.sent <= self.limit * (1 + self.seconds / self.window)

    def _pretend(self) -> None:
        """Goes on at once from addresses that it makes up; a limit lets some through again as time passes, not all."""
        with Line(self._gateway.address, self._gateway.system.patience) as line:
            for number in range(PRETENDED):
                made_up = f"192.0.{number // 250}.{number % 250}"
                claimed = {"X-Forwarded-For": made_up, "X-Real-IP": made_up, "Forwarded": f"for={made_up}"}
                try:
                    answer = line.ask("GET", self.path, {**self._headers, **claimed}, None)
                except (OSError, HTTPException):
                    return
                if answer.status == 429:
                    return
                self.got_through += 1

    def _some(self, most: int) -> None:
        """As many as go over one line."""
        with Line(self._gateway.address, self._gateway.system.patience) as line:
            try:
                while self.sent < most and self.refusal is None:
                    self.sent += 1
                    answer = line.ask("GET", self.path, self._headers, None)
                    if answer.status == 429:
                        self.refusal = answer
                        self._gateway.exchanges.append(Exchange("GET", self.path, answer))
            except (OSError, HTTPException):  # a server may end a line after some requests
                return


def told_limit(answer: Answer) -> int:
    """How many requests the headers say that there may be."""
    for name, form in _TOLD:
        if found := re.search(form, answer.headers.get(name, "")):
            return int(found[1])
    return 0


def told_window(answer: Answer) -> int:
    """For how many seconds that is; a minute where nothing is said."""
    found = re.search(r"w=(\d+)", answer.headers.get("ratelimit-policy", ""))
    return int(found[1]) if found and int(found[1]) else _A_MINUTE
