"""What stands between `${{` and `}}`, and behind `if:`, in a workflow of GitHub Actions: as much as releases need."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>&&|\|\||==|!=|!|\(|\))|(?P<name>[A-Za-z_][\w.-]*)|(?P<number>\d+))"
)
_WORDS = {"true": True, "false": False, "null": ""}

Lookup = Callable[[str], Any]
"""What a name such as `steps.smoke.conclusion` means; "" where there is none, as GitHub has it."""


class NotAnExpression(Exception):
    """It cannot be read; the text says where."""


def value_of(expression: str, lookup: Lookup, status: Mapping[str, bool]) -> Any:
    """`status` says what `success()`, `failure()`, `cancelled()` and `always()` are now."""
    return _Reader(expression, lookup, status).whole()


def filled(text: str, lookup: Lookup, status: Mapping[str, bool]) -> str:
    """The text with each `${{ … }}` replaced by what it means."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _shown(value_of(found[1], lookup, status)), text)


def asks_for_status(expression: str) -> bool:
    """Without one of these functions, `success()` is asked for silently."""
    return re.search(r"\b(?:success|failure|cancelled|always)\s*\(", expression) is not None


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Reader:
    def __init__(self, expression: str, lookup: Lookup, status: Mapping[str, bool]) -> None:
        self._text, self._lookup, self._status = expression, lookup, status
        self._tokens = self._split()

    def whole(self) -> Any:
        value = self._either()
        if self._tokens:
            raise self._wrong(self._tokens[0])
        return value

    def _split(self) -> list[str]:
        tokens, at, text = [], 0, self._text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._wrong(text[at:])
            tokens.append(found[0].strip())
            at = found.end()
        return tokens

    def _wrong(self, rest: str) -> NotAnExpression:
        return NotAnExpression(f"`{self._text.strip()}` cannot be read from `{rest.strip()}` on")

    def _took(self, *signs: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in signs else ""

    def _either(self) -> Any:
        value = self._both()
        while self._took("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._took("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._one()
        while sign := self._took("==", "!="):
            value = (value == self._one()) is (sign == "==")
        return value

    def _one(self) -> Any:
        if self._took("!"):
            return not self._one()
        if self._took("("):
            value = self._either()
            self._closed()
            return value
        if not self._tokens or not re.match(r"['\w]", self._tokens[0]):
            raise self._wrong(" ".join(self._tokens) or "its end")
        return self._named(self._tokens.pop(0))

    def _named(self, token: str) -> Any:
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdecimal():
            return int(token)
        if self._took("("):
            self._closed()
            if token not in self._status:
                raise self._wrong(f"{token}()")
            return self._status[token]
        return _WORDS[token] if token in _WORDS else self._lookup(token)

    def _closed(self) -> None:
        if not self._took(")"):
            raise self._wrong(" ".join(self._tokens) or "its end")
