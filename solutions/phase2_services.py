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


# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def take(connection: AsyncConnection[Any], event_id: UUID, count: int) -> int | None:
    """Takes `count` tickets and returns how many are left; None when there are not enough, or no such event."""
    ### BEGIN SOLUTION 2.2
    statement = """
        UPDATE events SET available = available - %(count)s
        WHERE id = %(event)s AND available >= %(count)s
        RETURNING available
    """
    taken = await connection.execute(statement, {"event": event_id, "count": count})
    row = await taken.fetchone()
    return row[0] if row else None
    ### END SOLUTION


# %%
check("2.2")


# %%
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

TAKE_TICKETS = """
    UPDATE events SET available = available - %(count)s
    WHERE id = %(event)s AND available >= %(count)s
"""


async def reserve(connection: AsyncConnection[Any], booking_id: UUID, event_id: UUID, count: int) -> bool:
    """True when the booking holds its tickets, now or since an earlier call; False when they cannot be had.

    Raises ValueError when the booking holds another count, or tickets of another event.
    """
    ### BEGIN SOLUTION 2.3
    insert = """
        INSERT INTO reservations (booking_id, event_id, ticket_count) VALUES (%s, %s, %s)
        ON CONFLICT DO NOTHING
    """
    look = "SELECT event_id, ticket_count, released_at FROM reservations WHERE booking_id = %s"
    async with connection.transaction():
        made = await connection.execute(insert, [booking_id, event_id, count])
        if made.rowcount == 0:  # somebody was first: an earlier call of this booking, or its release
            held_event, held_count, released_at = await (await connection.execute(look, [booking_id])).fetchone()
            if released_at is not None:
                return False
            if (held_event, held_count) != (event_id, count):
                raise ValueError(f"booking {booking_id} holds {held_count} tickets of event {held_event}")
            return True
        taken = await connection.execute(TAKE_TICKETS, {"event": event_id, "count": count})
        if taken.rowcount == 1:
            return True
        raise psycopg.Rollback  # undoes the INSERT, and ends here
    return False
    ### END SOLUTION


# %%
check("2.3")


# %%
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection


async def release(connection: AsyncConnection[Any], booking_id: UUID) -> bool:
    """Gives the booking's tickets back, once; True when this call did it. Before the reserve it leaves a tombstone."""
    ### BEGIN SOLUTION 2.4
    over = """
        INSERT INTO reservations (booking_id, reserved_at, released_at) VALUES (%s, NULL, now())
        ON CONFLICT (booking_id) DO UPDATE SET released_at = now() WHERE reservations.released_at IS NULL
        RETURNING event_id, ticket_count
    """
    give_back = "UPDATE events SET available = available + %s WHERE id = %s"
    async with connection.transaction():
        row = await (await connection.execute(over, [booking_id])).fetchone()
        if row is None or row[0] is None:  # it was over before, or a tombstone was made
            return False
        event_id, count = row
        await connection.execute(give_back, [count, event_id])
    return True
    ### END SOLUTION


# %%
check("2.4")


# %%
import json

### BEGIN SOLUTION 2.6
### INCLUDE phase2-event-service/booking_saga/inventory.py::SERVICE_CONFIG
### END SOLUTION


# %%
check("2.6")
