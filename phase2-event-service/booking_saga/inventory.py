"""The `TicketInventory` of phase 2: the event service, called over gRPC."""

import json
import uuid

import grpc
import structlog
from booking_service.domain import Booking
from booking_service.inventory import TicketsRefused
from chassis.errors import ResourceExhausted, Unavailable
from event_service.proto import event_pb2 as pb
from event_service.proto import event_pb2_grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import from_call

log = structlog.get_logger(__name__)

# Both calls may be sent again: the booking id makes the second one a no-op. Only UNAVAILABLE is retried, since after a
# deadline there is no time left. Throttling: when most calls fail, retries stop, or they would triple the load.
SERVICE_CONFIG = json.dumps(
    {
        "methodConfig": [
            {
                "name": [
                    {"service": "event.EventService", "method": "ReserveTickets"},
                    {"service": "event.EventService", "method": "ReleaseTickets"},
                ],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
)


class NoSuchEvent(TicketsRefused):
    reason = "EVENT_NOT_FOUND"


class SoldOut(TicketsRefused):
    reason = "SOLD_OUT"


class SalesClosed(TicketsRefused):
    reason = "SALES_CLOSED"


class CancelledMeanwhile(TicketsRefused):
    reason = "CANCELLED_MEANWHILE"


class EventServiceAway(Unavailable):
    reason = "EVENT_SERVICE_UNAVAILABLE"


class EventServiceBusy(ResourceExhausted):
    reason = "EVENT_SERVICE_BUSY"


REFUSALS: dict[str, type[TicketsRefused]] = {
    "EVENT_NOT_FOUND": NoSuchEvent,
    "INVALID_FIELD": NoSuchEvent,  # an event id that no event can have
    "SOLD_OUT": SoldOut,
    "SALES_CLOSED": SalesClosed,
    "ALREADY_RELEASED": CancelledMeanwhile,
}


class EventServiceInventory:
    """Reserves and releases at the event service, each once a booking however often it is called."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._events = event_pb2_grpc.EventServiceStub(channel)

    async def reserve(self, booking: Booking) -> None:
        """Raises a TicketsRefused that says why, or EventServiceAway or EventServiceBusy when trying again may help."""
        request = pb.ReserveTicketsRequest(
            booking_id=str(booking.id), event_id=booking.event_id, ticket_count=booking.ticket_count
        )
        try:
            await self._events.ReserveTickets(request)
        except grpc.aio.AioRpcError as error:
            raise _for_people(error) from error

    async def release(self, booking: Booking) -> None:
        """Gives the tickets back, now or later: what cannot be done now, recovery does (see recovery.py)."""
        try:
            await self.give_back(booking.id)
        except EventServiceAway:
            log.warning("release put off", booking_id=str(booking.id))

    async def give_back(self, booking_id: uuid.UUID) -> None:
        """Gives the tickets back now; raises EventServiceAway."""
        try:
            await self._events.ReleaseTickets(pb.ReleaseTicketsRequest(booking_id=str(booking_id)))
        except grpc.aio.AioRpcError as error:
            raise _away(error, "the event service does not answer") from error


def _for_people(error: grpc.aio.AioRpcError) -> TicketsRefused | EventServiceAway | EventServiceBusy:
    refusal = REFUSALS.get(reason_of(error))
    if refusal is not None:
        return refusal(error.details() or refusal.reason)
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return EventServiceBusy("too many people want tickets right now; try again later with the same key")
    return _away(error, "the event service does not answer; try again with the same key")


def _away(error: grpc.aio.AioRpcError, text: str) -> EventServiceAway:
    """What the caller is told, whatever it is; what does not get better by waiting is in the log too."""
    if error.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}:
        log.error("event service failed", code=error.code().name, details=error.details())
    return EventServiceAway(text)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in a refusal (google.rpc.ErrorInfo), "" when it carries none."""
    status = from_call(error)
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
