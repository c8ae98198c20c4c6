# %%
from workbook.lesson import check

# %%
from booking_saga.inventory import CancelledMeanwhile, EventServiceAway, NoSuchEvent, SalesClosed, SoldOut
from booking_service.inventory import TicketsRefused
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import from_call

import grpc


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the error's google.rpc.ErrorInfo, "" when it has none."""
    status = from_call(error)
    for detail in status.details if status is not None else ():
        info = ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


def refusal(error: grpc.aio.AioRpcError) -> TicketsRefused | EventServiceAway:
    """Why the tickets cannot be had, with the server's text; EventServiceAway when nobody knows how it ended."""
    ### BEGIN SOLUTION 2.1
    kinds = {
        "EVENT_NOT_FOUND": NoSuchEvent,
        "INVALID_FIELD": NoSuchEvent,  # an event id that no event can have
        "SOLD_OUT": SoldOut,
        "SALES_CLOSED": SalesClosed,
        "ALREADY_RELEASED": CancelledMeanwhile,
    }
    kind = kinds.get(reason_of(error))
    if kind is None:
        return EventServiceAway("the event service does not answer; try again with the same key")
    return kind(error.details())
    ### END SOLUTION


# %%
check("2.1")


# %%
import asyncio
from typing import Any


async def call_within(call: Any, request: Any, ends_at: float, limit: float) -> Any:
    """The call's answer, wanted before the loop's clock shows `ends_at`, and within `limit` seconds.

    Raises TimeoutError when nothing is left; errors of the call pass through.
    """
    ### BEGIN SOLUTION 2.5
    left = ends_at - asyncio.get_running_loop().time()
    if left <= 0:
        raise TimeoutError("the deadline is over: nobody waits for this answer")
    return await call(request, timeout=min(left, limit))
    ### END SOLUTION


# %%
check("2.5")


# %%
from uuid import UUID

from booking_service.domain import Booking, Status
from booking_service.inventory import TicketInventory
from booking_service.repository import BookingRepository


class Abandoning:
    """One use case over the two ports."""

    def __init__(self, bookings: BookingRepository, inventory: TicketInventory) -> None:
        self._bookings = bookings
        self._inventory = inventory

    async def abandon(self, booking_id: UUID, reason: str) -> Booking:
        """Cancels the booking and gives its tickets back, if it is still PENDING; returns it as it is then."""
        ### BEGIN SOLUTION 2.7
        ### INCLUDE phase1-grpc/booking_service/service.py::BookingUseCases.abandon
        ### END SOLUTION


# %%
check("2.7")


# %%
from collections.abc import Sequence


def verdicts(available: int, wishes: Sequence[int]) -> list[bool]:
    """Who of a batch gets all the tickets of its wish, in order of arrival, as if they had come one by one."""
    ### BEGIN SOLUTION 2.10
    granted = []
    for wish in wishes:
        fits = wish <= available
        granted.append(fits)
        if fits:
            available -= wish
    return granted
    ### END SOLUTION


# %%
check("2.10")
