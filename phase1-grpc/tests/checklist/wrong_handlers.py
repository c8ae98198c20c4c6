"""gRPC handlers with one mistake each, over the right one."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from booking_service.domain import MAX_TICKETS, BookingNotFound
from booking_service.handler import BookingHandler
from booking_service.proto import booking_pb2 as pb
from booking_service.service import BookingUseCases
from chassis.errors import InvalidArgument, NotFound
from chassis.interceptor import Around, Call, Context


class Dies(Around):
    """The whole process ends where a right server refuses one call, or loses one caller."""

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        try:
            yield
        except (asyncio.CancelledError, InvalidArgument) as error:
            if self.fatal(error):
                os._exit(1)
            raise

    def fatal(self, error: BaseException) -> bool:
        raise NotImplementedError


class DiesOnGarbage(Dies):
    def fatal(self, error: BaseException) -> bool:
        return isinstance(error, InvalidArgument) and error.field == "request"


class DiesOnMalformedId(Dies):
    def fatal(self, error: BaseException) -> bool:
        return isinstance(error, InvalidArgument) and error.field == "booking_id"


class DiesWhenCallersLeave(Dies):
    def fatal(self, error: BaseException) -> bool:
        return isinstance(error, asyncio.CancelledError)


class AcceptsCounts(BookingHandler):
    """Books also where `wrong` holds for ticket_count."""

    def wrong(self, count: int) -> bool:
        raise NotImplementedError

    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        if self.wrong(request.ticket_count):
            request.ticket_count = 1
        return await super().CreateBooking(request, context)


class AcceptsZero(AcceptsCounts):
    def wrong(self, count: int) -> bool:
        return count == 0


class AcceptsNegative(AcceptsCounts):
    def wrong(self, count: int) -> bool:
        return count < 0


class AcceptsAnyNumber(AcceptsCounts):
    def wrong(self, count: int) -> bool:
        return count > MAX_TICKETS


class AcceptsBlankNames(BookingHandler):
    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        request.user_id = request.user_id.strip() or "nobody"
        return await super().CreateBooking(request, context)


class AddsOneTicket(BookingHandler):
    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        request.ticket_count += 0 < request.ticket_count < 10
        return await super().CreateBooking(request, context)


class HandsNulToTheDatabase(BookingHandler):
    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        if "\0" in request.user_id + request.event_id:
            raise ValueError("a string literal cannot contain NUL (0x00) characters")
        return await super().CreateBooking(request, context)


class AnswersNothingForUnknown(BookingHandler):
    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        try:
            return await super().GetBooking(request, context)
        except BookingNotFound:
            return pb.GetBookingResponse()


class RefusesUnknownAsInvalid(BookingHandler):
    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        try:
            return await super().GetBooking(request, context)
        except BookingNotFound as unknown:
            raise InvalidArgument("booking_id", str(unknown)) from unknown


class HangsOnUnknown(BookingHandler):
    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        try:
            return await super().GetBooking(request, context)
        except BookingNotFound:
            await asyncio.Event().wait()
            raise


class HangsAlways(BookingHandler):
    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        await asyncio.Event().wait()
        return pb.CreateBookingResponse()


class ForgetsTheEvent(BookingHandler):
    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        answer = await super().GetBooking(request, context)
        answer.booking.event_id = ""
        return answer


class FailsOnMalformedId(BookingHandler):
    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        uuid.UUID(request.booking_id)
        return await super().GetBooking(request, context)


class KnowsOnlyItsOwnCallers(BookingHandler):
    """Keeps bookings for each connection apart."""

    def __init__(self, use_cases: BookingUseCases) -> None:
        super().__init__(use_cases)
        self._owners: dict[str, str] = {}

    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        answer = await super().CreateBooking(request, context)
        self._owners[answer.booking.id] = context.peer()
        return answer

    async def GetBooking(self, request: pb.GetBookingRequest, context: Context) -> pb.GetBookingResponse:
        if self._owners.get(request.booking_id, context.peer()) != context.peer():
            raise NotFound("there is no such booking here")
        return await super().GetBooking(request, context)


class CancelsAnything(BookingHandler):
    async def CancelBooking(self, request: pb.CancelBookingRequest, context: Context) -> pb.CancelBookingResponse:
        try:
            return await super().CancelBooking(request, context)
        except BookingNotFound:
            return pb.CancelBookingResponse(success=True)


class CancelsMalformedIds(BookingHandler):
    async def CancelBooking(self, request: pb.CancelBookingRequest, context: Context) -> pb.CancelBookingResponse:
        try:
            return await super().CancelBooking(request, context)
        except InvalidArgument:
            return pb.CancelBookingResponse(success=True)


class SpeaksLowerCase(BookingHandler):
    async def CreateBooking(self, request: pb.CreateBookingRequest, context: Context) -> pb.CreateBookingResponse:
        answer = await super().CreateBooking(request, context)
        answer.booking.status = answer.booking.status.lower()
        return answer
