"""The OpenAPI document of the gateways of the proofs."""

from typing import Any

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(fields), "properties": fields}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(schema: Any, kind: str = "application/json") -> dict[str, Any]:
    return {"description": "as told", "content": {kind: {"schema": schema}}}


def _operation(status: int, schema: Any, *refusals: int, **more: Any) -> dict[str, Any]:
    problem = _json(_ref("Problem"), "application/problem+json")
    return {"responses": {str(status): _json(schema), **dict.fromkeys(map(str, refusals), problem)}, **more}


_TOKEN: Any = {"security": [{"bearer": []}]}
_KEY: Any = {"parameters": [{"name": "Idempotency-Key", "in": "header", "required": True, "schema": TEXT}]}
_SCHEMAS = {
    "Problem": _object(title=TEXT, status=NUMBER, detail=TEXT, reason=TEXT),
    "Event": _object(id=TEXT, name=TEXT, capacity=NUMBER, available_tickets=NUMBER),
    "Booking": _object(id=TEXT, user_id=TEXT, event_id=TEXT, ticket_count=NUMBER, status=TEXT),
    "User": _object(id=TEXT, email=TEXT, name=TEXT),
    "Session": _object(access_token=TEXT, refresh_token=TEXT, user=_ref("User")),
}
_EVENTS = _object(events={"type": "array", "items": _ref("Event")})
_BOOKINGS = _object(bookings={"type": "array", "items": _ref("Booking")})
_OWN = (401, 404, 429)
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Tickets", "version": "1"},
    "paths": {
        "/v1/users": {"post": _operation(201, _ref("User"), 400, 413, 422)},
        "/v1/sessions": {"post": _operation(201, _ref("Session"), 400, 401, 422, 429)},
        "/v1/sessions/refresh": {"post": _operation(200, _ref("Session"), 400, 401, 422)},
        "/v1/events": {
            "get": _operation(200, _EVENTS, 401, 429),
            "post": _operation(201, _ref("Event"), 400, 401, 403, 413, 422, 429, **_TOKEN),
        },
        "/v1/events/{event_id}": {"get": _operation(200, _ref("Event"), *_OWN)},
        "/v1/events/{event_id}/availability": {"get": _operation(200, {}, *_OWN)},
        "/v1/bookings": {
            "get": _operation(200, _BOOKINGS, 401, 429, **_TOKEN),
            "post": _operation(201, _ref("Booking"), 400, 401, 404, 409, 413, 422, 429, **_TOKEN, **_KEY),
        },
        "/v1/bookings/{booking_id}": {"get": _operation(200, _ref("Booking"), *_OWN, **_TOKEN)},
        "/v1/bookings/{booking_id}/cancellation": {"post": _operation(200, _ref("Booking"), *_OWN, **_TOKEN)},
    },
    "components": {
        "schemas": _SCHEMAS,
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    },
}
