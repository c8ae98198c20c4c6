"""What a gateway promises in its OpenAPI document, wherever that lies; and whether its answers keep to it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checklist.gateway import ADDITION, Exchange, Gateway
from jsonschema_rs import Draft202012Validator

from workbook.checks.verdict import expect, not_run

PLACES = ("/openapi.json", "/v1/openapi.json", "/swagger.json", "/openapi", "/v3/api-docs")
_KEY = "idempotency-key"
Operation = Mapping[str, Any]


class Promises:
    """`document` is {} where there is none."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.document: dict[str, Any] = next(_found(gateway), {})
        self._forms: dict[str, Any] = {}  # what reads a schema takes long to make

    def needs_document(self) -> None:
        if not self.document:
            not_run(f"needs an OpenAPI document at {PLACES[0]}: {ADDITION}")

    def needs_keys(self) -> None:
        """Ends the check without a verdict where no Idempotency-Key is promised."""
        if _KEY not in str(self.document).lower():
            not_run(f"needs the header Idempotency-Key in POST /v1/bookings of {PLACES[0]}: {ADDITION}")

    def operation(self, exchange: Exchange) -> Operation | None:
        """What it says of such a request; None where it says nothing."""
        path = exchange.path.partition("?")[0]
        for template, methods in self.document.get("paths", {}).items():
            pattern = re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and exchange.method.lower() in methods:
                found: Operation = methods[exchange.method.lower()]
                return found
        return None

    def broken(self, exchange: Exchange) -> str:
        """What is wrong with an answer by the document, in words; "" where it is as told."""
        answer, operation = exchange.answer, self.operation(exchange)
        if operation is None:
            return f"{answer.asked} succeeded, and is not in the document" if answer.succeeded else ""
        responses = operation.get("responses", {})
        told = responses.get(str(answer.status), responses.get(f"{answer.status // 100}XX"))
        if told is None and not answer.succeeded:
            told = responses.get("default")
        if told is None:
            return f"{answer.asked} answered {answer.status}, and the document knows {', '.join(responses)}"
        return self._unlike(exchange, told)

    def _unlike(self, exchange: Exchange, told: Mapping[str, Any]) -> str:
        schema = told.get("content", {}).get(exchange.answer.kind, {}).get("schema")
        if not schema or not exchange.answer.kind.endswith("json"):
            return ""
        error = next(self._form(schema).iter_errors(exchange.answer.content), None)
        if error is None:
            return ""
        where = ".".join(map(str, error.instance_path)) or "the answer"
        return f"{exchange.answer.asked} answered {exchange.answer.status}: {where}: {error.message[:160]}"

    def _form(self, schema: Mapping[str, Any]) -> Any:
        if (key := str(schema)) not in self._forms:
            parts = {"components": self.document.get("components", {})}
            self._forms[key] = Draft202012Validator({**parts, **schema})
        return self._forms[key]


def _found(gateway: Gateway) -> Iterator[dict[str, Any]]:
    for place in PLACES:
        answer = gateway.ask("GET", place)
        if answer.succeeded:
            content = answer.content
            told = isinstance(content, dict) and ("openapi" in content or "swagger" in content) and "paths" in content
            expect(told, f"{answer.told()}, which is no OpenAPI document", "serve the document as JSON, with its paths")
            yield content
