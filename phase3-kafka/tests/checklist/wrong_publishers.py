"""What a publisher can do wrong, a mistake each or a few of a kind."""

import json
import threading
import uuid
from typing import Any

from booking_service.proto.booking_pb2 import Booking
from tests.checklist.right_publisher import CANCELLED, CREATED, Header, Publisher, time_of


class TellsNothing(Publisher):
    def put(self, message_id: str, message: dict[str, Any]) -> None:
        pass


class TellsSome(Publisher):
    _told = 0

    def created(self, booking: Booking) -> None:
        self._told += 1
        if self._told % 5:
            super().created(booking)


class WritesNoJson(Publisher):
    def value(self, fields: dict[str, Any]) -> str:
        return "&".join(f"{name}={value}" for name, value in fields.items())


class NamesFieldsItsOwnWay(Publisher):
    def value(self, fields: dict[str, Any]) -> str:
        return json.dumps({name.title().replace("_", ""): value for name, value in fields.items()})


class ForgetsTheUser(Publisher):
    def fields(self, booking: Booking) -> dict[str, Any]:
        return {name: value for name, value in super().fields(booking).items() if name != "user_id"}


class WritesTypesOfItsOwn(Publisher):
    def fields(self, booking: Booking) -> dict[str, Any]:
        own = {"ticket_count": str(booking.ticket_count), "created_at": booking.created_at.seconds}
        return {**super().fields(booking), **own}


class TellsCarelessly(Publisher):
    """Local time that says it is UTC; another event; a ticket more."""

    def fields(self, booking: Booking) -> dict[str, Any]:
        wrong = {"created_at": time_of(booking, hours=3), "event_id": "jazz", "ticket_count": booking.ticket_count + 1}
        return {**super().fields(booking), **wrong}


class TellsTwice(Publisher):
    def created(self, booking: Booking) -> None:
        super().created(booking)
        super().created(booking)


class TellsTooMuch(Publisher):
    """What was refused, and what was said before."""

    def refused(self, booking: Booking) -> None:
        self.created(booking)

    def cancelled_again(self, booking: Booking) -> None:
        self.cancelled(booking)

    def retried(self, booking: Booking) -> None:
        self.created(booking)


class KeysByUser(Publisher):
    def key(self, booking: Booking) -> str | None:
        return booking.user_id


class KeysNothing(Publisher):
    """And so a partition is any: here, one for each type."""

    def message(self, message_id: str, kind: str, booking: Booking, more: dict[str, str]) -> dict[str, Any]:
        sent = super().message(message_id, kind, booking, more)
        return {**sent, "key": None, "partition": 0 if kind == CREATED else 1}


class UsesOnePartition(Publisher):
    def message(self, message_id: str, kind: str, booking: Booking, more: dict[str, str]) -> dict[str, Any]:
        return {**super().message(message_id, kind, booking, more), "partition": 0}


class LacksMessageIds(Publisher):
    def headers(self, message_id: str, kind: str) -> list[Header]:
        return super().headers(message_id, kind)[1:]


class HasOneMessageId(Publisher):
    _id = str(uuid.uuid4())

    def headers(self, message_id: str, kind: str) -> list[Header]:
        return super().headers(self._id, kind)


class HeadsCarelessly(Publisher):
    """And it forgets what a cancelled booking was before."""

    def cancelled(self, booking: Booking) -> None:
        self.refused(booking)

    def headers(self, message_id: str, kind: str) -> list[Header]:
        return [("message-id", message_id[:8]), ("type", kind), ("version", "v1"), ("traceparent", "none")]


class TypesItsOwnWay(Publisher):
    def headers(self, message_id: str, kind: str) -> list[Header]:
        return super().headers(message_id, {CREATED: "booking.created", CANCELLED: "booking.cancelled"}[kind])


class TellsNoCancellation(Publisher):
    def cancelled(self, booking: Booking) -> None:
        pass


class TellsCancelledFirst(Publisher):
    """Two who send: the one who tells of new bookings is the slower one."""

    def created(self, booking: Booking) -> None:
        threading.Timer(0.3, super().created, [booking]).start()


class WaitsForKafka(Publisher):
    def put(self, message_id: str, message: dict[str, Any]) -> None:
        super().put(message_id, message)
        self._producer.flush()


class GivesUpOnKafka(Publisher):
    def put(self, message_id: str, message: dict[str, Any]) -> None:
        # A message's own time limit is looked at once a second: too coarse for a mistake that must show each time.
        if self._producer.flush(1) == 0:
            super().put(message_id, message)


class KeepsMessagesInMemory(Publisher):
    under_way = 1

    def kill(self) -> None:
        super().kill()
        self.waiting.clear()


class ShowsNoBacklog(Publisher):
    def figures(self) -> dict[str, float]:
        return {"outbox_messages_waiting": 0, "outbox_oldest_seconds": 0}
