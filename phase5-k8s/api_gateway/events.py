"""/v1/events: what is on, and what organisers do with it."""

from typing import Annotated, Any, Literal, TypeAlias

from event_service.proto import event_pb2 as pb
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api_gateway.answers import Json
from api_gateway.backends import back, token_of
from api_gateway.documented import SIGNED_IN, problems
from api_gateway.fields import Flag, Id, Moment, PageSize, PageToken, Strict, given, timestamp

router = APIRouter(prefix="/v1/events", tags=["events"])

Kind: TypeAlias = Literal["concert", "match", "theatre", "other"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Zone = Annotated[str, Field(min_length=1, max_length=64)]
EventId = Annotated[Id, Path(description="as a list of events gives it")]
_EXAMPLE: dict[str, Any] = {
    "id": "4fd5e2b6-5bbb-4b4e-8c5e-0a1e6c3f9d21",
    "name": "Jazz night",
    "kind": "concert",
    "starts_at": "2026-12-31T20:00:00Z",
    "time_zone": "Europe/Istanbul",
    "venue": "Babylon",
    "capacity": 300,
    "available_tickets": 120,
    "created_at": "2026-11-01T09:30:00Z",
    "updated_at": "2026-11-20T17:05:12.345678Z",
}
_NEW: dict[str, Any] = {key: _EXAMPLE[key] for key in ("name", "kind", "starts_at", "time_zone", "venue", "capacity")}


class Event(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})
    id: Id
    name: str
    kind: Kind
    starts_at: Moment
    time_zone: str
    venue: str
    capacity: int
    available_tickets: int
    created_at: Moment
    updated_at: Moment


class Events(BaseModel):
    events: list[Event]
    next_page_token: str


class NewEvent(Strict):
    model_config = ConfigDict(json_schema_extra={"examples": [_NEW]})
    name: Text
    kind: Kind
    starts_at: Moment
    time_zone: Zone = "UTC"
    venue: Text
    capacity: Annotated[int, Field(ge=1, le=1_000_000)]


class EventChanges(Strict):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"venue": "Zorlu PSM"}]})
    name: Text = given()
    kind: Kind = given()
    starts_at: Moment = given()
    time_zone: Zone = given()
    venue: Text = given()


class TicketChange(Strict):
    """`change` adds tickets, or withdraws unsold ones; `operation_id` makes a second try harmless."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"change": 50, "operation_id": "0d1b8f0e-6a0f-4c7e-9b52-9c6f6f3f3a55"}]}
    )
    change: Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
    operation_id: Id


@router.get("", response_model=Events, responses=problems())
async def list_events(
    request: Request,
    *,
    kind: Annotated[Kind | None, Query()] = None,
    starts_from: Annotated[Moment | None, Query(alias="from", description="at or after")] = None,
    starts_before: Annotated[Moment | None, Query(alias="to", description="before")] = None,
    venue: Annotated[Text | None, Query(description="part of the venue's name")] = None,
    available: Annotated[Flag, Query(description="only with tickets left")] = False,
    page_size: Annotated[PageSize, Query()] = 50,
    page_token: Annotated[PageToken, Query(description="next_page_token of the page before")] = "",
) -> Response:
    """Events by date, soonest first. All conditions must hold."""
    wanted = pb.ListEventsRequest(
        kind=kind or "",
        starts_from=timestamp(starts_from),
        starts_before=timestamp(starts_before),
        venue=venue or "",
        only_available=available,
        page_size=page_size,
        page_token=page_token,
    )
    page = await back(request).events.ListEvents(wanted)
    return Json({"events": [shown(event) for event in page.events], "next_page_token": page.next_page_token})


@router.post("", status_code=201, response_model=Event, responses=problems(401, 403), openapi_extra=SIGNED_IN)
async def create_event(request: Request, new: NewEvent) -> Response:
    """For organisers. `Location` names the new event."""
    wanted = pb.CreateEventRequest(
        name=new.name,
        kind=new.kind,
        starts_at=timestamp(new.starts_at),
        time_zone=new.time_zone,
        venue=new.venue,
        capacity=new.capacity,
    )
    made = (await back(request).events.CreateEvent(wanted, metadata=token_of(request))).event
    return Json(shown(made), 201, {"Location": f"{router.prefix}/{made.id}"})


@router.get("/{event_id}", response_model=Event, responses=problems(404))
async def get_event(request: Request, event_id: EventId) -> Response:
    found = await back(request).events.GetEvent(pb.GetEventRequest(event_id=event_id))
    return Json(shown(found.event))


@router.patch("/{event_id}", response_model=Event, responses=problems(401, 403, 404, 409), openapi_extra=SIGNED_IN)
async def update_event(request: Request, event_id: EventId, changes: EventChanges) -> Response:
    """For organisers. The capacity is changed by a ticket change, never here."""
    texts = {name: getattr(changes, name) for name in changes.model_fields_set - {"starts_at"}}
    wanted = pb.UpdateEventRequest(event_id=event_id, starts_at=timestamp(changes.starts_at), **texts)
    changed = await back(request).events.UpdateEvent(wanted, metadata=token_of(request))
    return Json(shown(changed.event))


@router.delete("/{event_id}", status_code=204, responses=problems(401, 403, 404, 409), openapi_extra=SIGNED_IN)
async def delete_event(request: Request, event_id: EventId) -> Response:
    """For organisers. Refused while tickets are reserved."""
    await back(request).events.DeleteEvent(pb.DeleteEventRequest(event_id=event_id), metadata=token_of(request))
    return Response(status_code=204)


@router.post(
    "/{event_id}/ticket-changes",
    response_model=Event,
    responses=problems(401, 403, 404, 409),
    openapi_extra=SIGNED_IN,
)
async def change_tickets(request: Request, event_id: EventId, change: TicketChange) -> Response:
    """For organisers: adds tickets, or withdraws unsold ones. One operation id is one change, however often sent."""
    wanted = pb.UpdateTicketsRequest(event_id=event_id, change=change.change, operation_id=change.operation_id)
    changed = await back(request).events.UpdateAvailableTickets(wanted, metadata=token_of(request))
    return Json(shown(changed.event))


def shown(event: pb.Event) -> dict[str, Any]:
    """The event as JSON has it."""
    return {
        "id": event.id,
        "name": event.name,
        "kind": event.kind,
        "starts_at": event.starts_at.ToJsonString(),
        "time_zone": event.time_zone,
        "venue": event.venue,
        "capacity": event.capacity,
        "available_tickets": event.available_tickets,
        "created_at": event.created_at.ToJsonString(),
        "updated_at": event.updated_at.ToJsonString(),
    }
