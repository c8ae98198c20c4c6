"""What the routes' documentation has in common: problems by status, examples, who may ask."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api_gateway.problems import MEDIA_TYPE

_ABOUT = {
    400: "The request cannot be read",
    401: "It is not known who is asking: there is no token, or it is not valid any more",
    403: "Whoever asks may not do this",
    404: "There is no such thing, or it is somebody else's",
    409: "The state of things does not allow it; `reason` says why",
    422: "A field is not what it must be; `errors` names it",
    429: "Too many requests; `Retry-After` says when to go on",
    503: "A service that is needed is away; try again",
}

SIGNED_IN: dict[str, Any] = {"security": [{"bearer": []}]}
"""For `openapi_extra`: the route asks for a token."""


class FieldProblem(BaseModel):
    field: str
    message: str


class ProblemBody(BaseModel):
    """RFC 9457. `reason` is for programs and never changes, `detail` is for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Conflict",
                    "status": 409,
                    "detail": "event 4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21 has no 2 tickets left",
                    "reason": "SOLD_OUT",
                    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                }
            ]
        }
    )
    type: str
    title: str
    status: int
    detail: str
    reason: str
    trace_id: str
    errors: list[FieldProblem] = Field(default=[])


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with; what any may is among them."""
    schema = {"$ref": f"#/components/schemas/{ProblemBody.__name__}"}
    content = {MEDIA_TYPE: {"schema": schema}}
    told = sorted({400, 422, 429, 503, *statuses})
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": _ABOUT[status], "content": content} for status in told
    }
    return {**found, "default": {"description": "Another problem", "content": content}}


def example(**fields: Any) -> ConfigDict:
    """Settings of a model that show it with these values."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
