"""ListUserBookings with one mistake each, over the right one."""

import uuid
from datetime import UTC, datetime

import grpc
from booking_service.handler import BookingHandler
from booking_service.proto import booking_pb2 as pb
from booking_service.service import BookingUseCases
from chassis.errors import InvalidArgument, NotFound, ResourceExhausted
from chassis.interceptor import Context
from chassis.paging import Position, write_token

BEFORE_ALL = Position(datetime(1970, 1, 1, tzinfo=UTC), uuid.UUID(int=0))
NO_LIST = pb.ListUserBookingsResponse()


class AnswersFourCallers(BookingHandler):
    def __init__(self, use_cases: BookingUseCases) -> None:
        super().__init__(use_cases)
        self._callers: set[str] = set()

    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        if len(self._callers | {context.peer()}) > 4:
            raise ResourceExhausted("too many connections")
        self._callers.add(context.peer())
        return await super().ListUserBookings(request, context)


class LacksList(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        return NO_LIST


class KnowsNobodyWithoutBookings(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        answer = await super().ListUserBookings(request, context)
        if not answer.bookings:
            raise NotFound("there is no such user")
        return answer


class IgnoresPageSize(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        request.page_size = 0
        return await super().ListUserBookings(request, context)


class TurnsPagesByOffset(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        token, size = request.page_token, request.page_size or 50
        if token and not token.isdecimal():
            raise InvalidArgument("page_token", "must be a number")
        start = int(token or 0)
        every = await super().ListUserBookings(pb.ListUserBookingsRequest(user_id=request.user_id), context)
        more = len(every.bookings) > start + size
        page = every.bookings[start : start + size]
        return pb.ListUserBookingsResponse(bookings=page, next_page_token=str(start + size) if more else "")


class NeverEndsPages(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        answer = await super().ListUserBookings(request, context)
        answer.next_page_token = answer.next_page_token or request.page_token or write_token(BEFORE_ALL)
        return answer


class RefusesLargePages(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        if request.page_size > 100:
            raise InvalidArgument("page_size", "must be at most 100")
        return await super().ListUserBookings(request, context)


class IgnoresWrongTokens(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        try:
            return await super().ListUserBookings(request, context)
        except InvalidArgument as wrong:
            if wrong.field != "page_token":
                raise
            return NO_LIST


class ListsAllForNobody(BookingHandler):
    async def ListUserBookings(
        self, request: pb.ListUserBookingsRequest, context: Context
    ) -> pb.ListUserBookingsResponse:
        if request.user_id:
            return await super().ListUserBookings(request, context)
        return pb.ListUserBookingsResponse(bookings=[pb.Booking(id=str(uuid.uuid4()), user_id="somebody")])
