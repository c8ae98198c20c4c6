"""The kinds of fields that requests are made of. What JSON or a query says is taken literally, or refused."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,8})", re.ASCII)
_ID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class Strict(BaseModel):
    """A body: a 3 is no "3", and a field that is not of the contract is refused, whatever somebody hopes it does."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _moment(written: object) -> datetime:
    if isinstance(written, str) and _RFC_3339.fullmatch(written):
        try:
            return datetime.fromisoformat(written.upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # no such day, or before the year 1 in UTC
            pass
    raise ValueError("must be a time as RFC 3339 writes it, such as 2026-05-01T20:00:00+03:00")


def _whole(written: object) -> int:
    if isinstance(written, str) and _WHOLE.fullmatch(written):
        return int(written)
    raise ValueError("must be a whole number")


def _flag(written: object) -> bool:
    if written not in {"true", "false"}:
        raise ValueError("must be true or false")
    return written == "true"


def _schema(**more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **more})


Id = Annotated[str, Field(pattern=_ID, examples=["4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21"])]
Moment = Annotated[datetime, BeforeValidator(_moment), _schema(format="date-time", examples=["2026-12-31T20:00:00Z"])]
InQuery = BeforeValidator(_whole)
Flag = Annotated[bool, BeforeValidator(_flag)]
PageSize = Annotated[int, InQuery, Field(ge=1, le=100)]
PageToken = Annotated[str, Field(max_length=200)]

given = partial(Field, default=None, json_schema_extra=lambda schema: schema.pop("default", None))
"""A field that may be left out, which is not the same as being null; `model_fields_set` tells."""


def timestamp(moment: datetime | None) -> Timestamp | None:
    """As messages carry it; None stays None."""
    if moment is None:
        return None
    found = Timestamp()
    found.FromDatetime(moment)
    return found
