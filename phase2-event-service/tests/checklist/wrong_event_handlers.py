"""gRPC handlers of events with one mistake each, over the right one."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC

import grpc
from chassis.errors import InvalidArgument
from chassis.interceptor import Context
from chassis.paging import Position, write_token
from event_service.domain import EventNotFound
from event_service.handler import EventHandler, filter_of, message
from event_service.proto import event_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

NO_EVENTS = pb.ListEventsResponse()
IN_A_WHILE = Timestamp(seconds=4_000_000_000)


class LacksList(EventHandler):
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        return NO_EVENTS


class ForgetsTheVenue(EventHandler):
    async def CreateEvent(self, request: pb.CreateEventRequest, context: Context) -> pb.CreateEventResponse:
        answer = await super().CreateEvent(request, context)
        answer.event.venue = ""
        return answer


class AnswersNothingForUnknown(EventHandler):
    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        try:
            return await super().GetEvent(request, context)
        except EventNotFound:
            return pb.GetEventResponse()


class FailsOnMalformedIds(EventHandler):
    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        uuid.UUID(request.event_id)
        return await super().GetEvent(request, context)

    async def UpdateAvailableTickets(
        self, request: pb.UpdateTicketsRequest, context: Context
    ) -> pb.UpdateTicketsResponse:
        uuid.UUID(request.event_id)
        return await super().UpdateAvailableTickets(request, context)


class IgnoresTheDate(EventHandler):
    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        answer = await super().GetEvent(request, context)
        answer.event.starts_at.CopyFrom(IN_A_WHILE)
        return answer


class AcceptsNegativeCapacity(EventHandler):
    async def CreateEvent(self, request: pb.CreateEventRequest, context: Context) -> pb.CreateEventResponse:
        request.capacity = abs(max(request.capacity, -10))
        return await super().CreateEvent(request, context)


class TrustsCallers(EventHandler):
    """Checks nothing of what describes an event."""

    async def CreateEvent(self, request: pb.CreateEventRequest, context: Context) -> pb.CreateEventResponse:
        if "\0" in request.name:
            raise ValueError("a string literal cannot contain NUL (0x00) characters")
        request.name = request.name.strip()[:100] or "an event"
        request.venue = request.venue or "somewhere"
        if not 0 < request.starts_at.seconds < 2**40:
            request.starts_at.CopyFrom(IN_A_WHILE)
        return await super().CreateEvent(request, context)


class ReservesLessThanNothing(EventHandler):
    async def ReserveTickets(self, request: pb.ReserveTicketsRequest, context: Context) -> pb.ReserveTicketsResponse:
        if request.ticket_count <= 0:
            return pb.ReserveTicketsResponse()
        return await super().ReserveTickets(request, context)


class IgnoresPageSize(EventHandler):
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        request.page_size = 0
        return await super().ListEvents(request, context)


class AcceptsAnyToken(EventHandler):
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        try:
            return await super().ListEvents(request, context)
        except InvalidArgument as wrong:
            if wrong.field != "page_token":
                raise
            return NO_EVENTS


class TurnsPagesByOffset(EventHandler):
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        token, size = request.page_token, request.page_size or 50
        if token and not token.isdecimal():
            raise InvalidArgument("page_token", "must be a number")
        start = int(token or 0)
        found = (await self._events.page(filter_of(request), start + size + 1))[start:]
        more = str(start + size) if len(found) > size else ""
        return pb.ListEventsResponse(events=map(message, found[:size]), next_page_token=more)


class NeverEndsPages(EventHandler):
    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        answer = await super().ListEvents(request, context)
        if answer.events and not answer.next_page_token:
            last = answer.events[-1]
            answer.next_page_token = write_token(Position(last.starts_at.ToDatetime(tzinfo=UTC), uuid.UUID(last.id)))
        return answer


class NeverTellsChanges(EventHandler):
    async def WatchAvailability(
        self, request: pb.WatchAvailabilityRequest, context: Context
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        async for told in super().WatchAvailability(request, context):
            yield told
            await asyncio.Event().wait()


class NeverEndsWatching(EventHandler):
    async def WatchAvailability(
        self, request: pb.WatchAvailabilityRequest, context: Context
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        try:
            async for told in super().WatchAvailability(request, context):
                yield told
        except EventNotFound:
            await asyncio.Event().wait()


class TellsOnlyChanges(EventHandler):
    async def WatchAvailability(
        self, request: pb.WatchAvailabilityRequest, context: Context
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        first = True
        async for told in super().WatchAvailability(request, context):
            if not first:
                yield told
            first = False
