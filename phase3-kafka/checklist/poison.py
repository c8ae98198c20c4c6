"""Messages that nobody can count: the checks send them, one to each partition at least, and say so in the README."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from checklist.client import fresh
from checklist.messages import Message


def new_id() -> str:
    return str(uuid.uuid4())


def poison(like: Message, partitions: int) -> list[Message]:
    """A bad message of every sort, and in every partition, each about a booking that is not there."""
    sorts = len(_sorts(like))
    return [_of_sort(like, number % sorts, number % partitions) for number in range(max(partitions, sorts))]


def _of_sort(like: Message, sort: int, partition: int) -> Message:
    value, headers = _sorts(like)[sort]
    own = {**like.headers, "message-id": new_id(), **headers}
    return replace(like, partition=partition, key=new_id().encode(), value=value, headers=own)


def _sorts(like: Message) -> list[tuple[bytes, Mapping[str, str]]]:
    """The value of each sort, and the headers in which it differs from a good message."""
    good = {**(like.fields or {}), "booking_id": new_id(), "user_id": fresh("poison")}
    lacking = {name: value for name, value in good.items() if name != "ticket_count"}
    return [
        (f"{fresh('poison')} is no JSON".encode(), {}),
        (_json(lacking), {}),
        (_json({**good, "ticket_count": -1}), {}),
        (_json({**good, "ticket_count": "2"}), {}),
        (_json([good]), {}),
        (_json(good), {"version": "999"}),
    ]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
