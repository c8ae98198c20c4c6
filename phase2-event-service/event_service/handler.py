"""gRPC in, repository, gRPC out. Checks live in the domain, decisions in SQL, statuses in chassis.error_status."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from chassis.errors import InvalidArgument
from chassis.fields import check_uuid
from chassis.interceptor import Context
from chassis.paging import Position, page_size, read_token, write_token
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from event_service.domain import Event, EventChanges, NewEvent, Wish, check_change, check_kind, check_text
from event_service.proto import event_pb2 as pb
from event_service.proto import event_pb2_grpc
from event_service.repository import EventRepository, Filter
from event_service.watching import Watching


class EventHandler(event_pb2_grpc.EventServiceServicer):
    """`event.EventService` over a repository."""

    def __init__(self, events: EventRepository, watching: Watching) -> None:
        self._events = events
        self._watching = watching

    async def CreateEvent(self, request: pb.CreateEventRequest, context: Context) -> pb.CreateEventResponse:
        starts_at = moment(request, "starts_at")
        zone = request.time_zone or "UTC"
        new = NewEvent(request.name, request.kind, starts_at, zone, request.venue, request.capacity)
        return pb.CreateEventResponse(event=message(await self._events.create(new)))

    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        event = await self._events.get(check_uuid("event_id", request.event_id))
        return pb.GetEventResponse(event=message(event))

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        wanted, limit = filter_of(request), page_size(request.page_size)
        found = await self._events.page(wanted, limit + 1, read_token(request.page_token))
        page = found[:limit]
        token = write_token(Position(page[-1].starts_at, page[-1].id)) if len(found) > limit else ""
        return pb.ListEventsResponse(events=map(message, page), next_page_token=token)

    async def UpdateEvent(self, request: pb.UpdateEventRequest, context: Context) -> pb.UpdateEventResponse:
        given = {
            field: getattr(request, field)
            for field in ("name", "kind", "time_zone", "venue")
            if request.HasField(field)
        }
        starts_at = moment(request, "starts_at") if request.HasField("starts_at") else None
        event_id = check_uuid("event_id", request.event_id)
        event = await self._events.update(event_id, EventChanges(starts_at=starts_at, **given))
        return pb.UpdateEventResponse(event=message(event))

    async def DeleteEvent(self, request: pb.DeleteEventRequest, context: Context) -> pb.DeleteEventResponse:
        await self._events.delete(check_uuid("event_id", request.event_id))
        return pb.DeleteEventResponse()

    async def UpdateAvailableTickets(
        self, request: pb.UpdateTicketsRequest, context: Context
    ) -> pb.UpdateTicketsResponse:
        event_id, operation_id = (check_uuid(field, getattr(request, field)) for field in ("event_id", "operation_id"))
        event = await self._events.change_capacity(event_id, check_change(request.change), operation_id)
        return pb.UpdateTicketsResponse(event=message(event))

    async def ReserveTickets(self, request: pb.ReserveTicketsRequest, context: Context) -> pb.ReserveTicketsResponse:
        booking_id, event_id = (check_uuid(field, getattr(request, field)) for field in ("booking_id", "event_id"))
        left = await self._events.reserve(Wish(booking_id, event_id, request.ticket_count))
        return pb.ReserveTicketsResponse(available_tickets=left)

    async def ReleaseTickets(self, request: pb.ReleaseTicketsRequest, context: Context) -> pb.ReleaseTicketsResponse:
        released = await self._events.release(check_uuid("booking_id", request.booking_id))
        return pb.ReleaseTicketsResponse(released=released)

    async def WatchAvailability(
        self, request: pb.WatchAvailabilityRequest, context: Context
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        async for event in self._watching.watch(check_uuid("event_id", request.event_id)):
            yield pb.WatchAvailabilityResponse(
                event_id=str(event.id), capacity=event.capacity, available_tickets=event.available
            )


def filter_of(request: pb.ListEventsRequest) -> Filter:
    """The filter in a request, each condition checked."""
    if request.kind:
        check_kind(request.kind)
    if request.venue:
        check_text("venue", request.venue)
    starts = {
        field: moment(request, field) if request.HasField(field) else None for field in ("starts_from", "starts_before")
    }
    return Filter(request.kind or None, venue=request.venue or None, only_available=request.only_available, **starts)


def moment(request: Message, field: str) -> datetime:
    """The time in a field of a request; InvalidArgument when it is missing or not between the years 1 and 9999."""
    if not request.HasField(field):
        raise InvalidArgument(field, "must be given")
    timestamp: Timestamp = getattr(request, field)
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(field, "must be between the years 1 and 9999") from None


def message(event: Event) -> pb.Event:
    """The event as the wire carries it."""
    times = {}
    for field in ("starts_at", "created_at", "updated_at"):
        times[field] = Timestamp()
        times[field].FromDatetime(getattr(event, field))
    return pb.Event(
        id=str(event.id),
        name=event.name,
        kind=event.kind,
        time_zone=event.time_zone,
        venue=event.venue,
        capacity=event.capacity,
        available_tickets=event.available,
        **times,
    )
