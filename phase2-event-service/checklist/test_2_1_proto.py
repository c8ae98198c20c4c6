"""2.1 Event Service works."""

import uuid
from collections.abc import Mapping

import pytest
from checklist.client import Code, Request
from checklist.contract import fields_of
from checklist.event_contract import MESSAGES, METHODS
from checklist.events import Events, description

from workbook.checks.verdict import expect, not_run

REQUESTS: Mapping[str, Request] = {
    "CreateEvent": description(),
    "GetEvent": {"event_id": str(uuid.uuid4())},
    "ListEvents": {},
    "UpdateAvailableTickets": {"event_id": str(uuid.uuid4()), "change": 1},
}
COPY_THE_PROTO = "copy the message from this workbook's event.proto: the roadmap leaves the fields open, clients do not"


@pytest.mark.parametrize("method", METHODS)
def test_method(events: Events, method: str) -> None:
    """The method is there under its name."""
    answer = events.attempt(method, **REQUESTS[method])
    if answer.code is Code.UNAVAILABLE:
        events.still_there(answer.call)
    expect(
        answer.code is not Code.UNIMPLEMENTED,
        f"/{events.contract.service}/{method} answered UNIMPLEMENTED",
        f"write `package event; service EventService {{ rpc {method} … }}`, implement it, register the servicer",
    )


@pytest.mark.parametrize("message", MESSAGES)
def test_message(events: Events, message: str) -> None:
    """The message has the contract's fields, numbers and types."""
    if events.served is None:
        not_run("needs server reflection; without it, what this workbook adds to the roadmap is taken to be there")
    expect(message in events.served, f"the server has no message event.{message}", COPY_THE_PROTO)
    served = fields_of(events.served[message])
    for field, (number, kind) in MESSAGES[message].items():
        seen = "no such field" if field not in served else f"{served[field][1]} {field} = {served[field][0]}"
        wanted = f"{kind} {field} = {number}"
        expect(seen == wanted, f"{message} should have `{wanted}` and has `{seen}`", COPY_THE_PROTO)
