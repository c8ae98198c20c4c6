"""The contract as OpenAPI, made from the routes."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api_gateway.documented import ProblemBody

_ABOUT = """Events, tickets and bookings over HTTP and JSON.

Errors are `application/problem+json` with a `reason` for programs and a `trace_id`. Every answer carries `traceparent`,
and `RateLimit` says what is left of the limit that it counts against. A booking takes an `Idempotency-Key`: the same
key is the same booking, however often it is sent.
"""


def with_openapi(app: FastAPI) -> FastAPI:
    """The same app; its contract is made once, when it is first asked for."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(_contract(app))
        return made

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it
    return app


def _contract(app: FastAPI) -> dict[str, Any]:
    contract = get_openapi(title="Ticket Workbook", version="1", description=_ABOUT, routes=app.routes)
    parts = contract.setdefault("components", {})
    parts.setdefault("schemas", {}).update(_schemas())
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which problems replace
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return contract


def _schemas() -> dict[str, Any]:
    schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    nested = schema.pop("$defs", {})
    return {**nested, ProblemBody.__name__: schema}
