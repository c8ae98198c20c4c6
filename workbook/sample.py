"""`./learn sample`: events to look at and to book, put on sale in a running system."""

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
from event_service.proto import event_pb2 as pb
from event_service.proto.event_pb2_grpc import EventServiceStub
from google.protobuf.timestamp_pb2 import Timestamp

from workbook.bearer import TOKEN
from workbook.checks.targets import EVENT_SERVICE, NoTarget, open_target
from workbook.phases import newest_phase
from workbook.ports import STANDARD
from workbook.terminal import DONE, console, error

_LOCAL = f"{EVENT_SERVICE}=127.0.0.1:{STANDARD[EVENT_SERVICE]}"
_REFUSED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}
_PATIENCE = 30.0  # seconds for one call


def main(target: str) -> int:
    """Makes those of the sample that are not on sale; returns the exit status."""
    where = _LOCAL if target == "local" else target
    try:
        with (
            console.status("putting events on sale") as shown,
            open_target(newest_phase(), where, None, patience=_PATIENCE, progress=shown.update) as system,
            system.channel(EVENT_SERVICE) as channel,
        ):
            made = put_on_sale(EventServiceStub(channel))
    except NoTarget as problem:
        error(str(problem))
        return 2
    except grpc.RpcError as refusal:
        error(_told(refusal))
        return 1
    console.print(f"{DONE} {made} events put on sale, {len(_listed()) - made} were there")
    return 0


def put_on_sale(events: EventServiceStub) -> int:
    """Makes each event of the sample unless one of its name and venue is to come; returns how many it made.

    Raises grpc.RpcError.
    """
    there = {(event.name, event.venue) for event in _to_come(events)}
    missing = [event for event in _listed() if (event["name"], event["venue"]) not in there]
    for event in missing:
        events.CreateEvent(_wish(event), timeout=_PATIENCE)
    return len(missing)


def _to_come(events: EventServiceStub) -> Iterator[pb.Event]:
    now, token = Timestamp(), ""
    now.GetCurrentTime()
    while True:
        request = pb.ListEventsRequest(starts_from=now, page_size=100, page_token=token)
        page = events.ListEvents(request, timeout=_PATIENCE)
        yield from page.events
        token = page.next_page_token
        if not token:
            return


def _wish(event: dict[str, Any]) -> pb.CreateEventRequest:
    fields = {name: event[name] for name in ("name", "kind", "venue", "time_zone", "capacity")}
    zone = ZoneInfo(event["time_zone"])
    day = (datetime.now(zone) + timedelta(days=event["days"])).date()
    starts_at = Timestamp()
    starts_at.FromDatetime(datetime.combine(day, time.fromisoformat(event["at"]), zone).astimezone(UTC))
    return pb.CreateEventRequest(starts_at=starts_at, **fields)


def _listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["events"]
    return found


def _told(refusal: grpc.RpcError) -> str:
    answer: Any = refusal
    said = f"{answer.code().name}: {answer.details()}"
    if answer.code() in _REFUSED:
        return (
            f"{said}\nOnly organisers and admins may: put the token of one into {TOKEN}; ./learn up shows an admin's."
        )
    return said
