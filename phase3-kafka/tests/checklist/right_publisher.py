"""The right publisher, over an outbox in memory."""

import json
import time
import uuid
from datetime import UTC, timedelta
from typing import Any

from booking_service.proto.booking_pb2 import Booking
from confluent_kafka import Producer

TOPIC = "bookings"
CREATED, CANCELLED = "BookingCreatedEvent", "BookingCancelledEvent"
Header = tuple[str, str | bytes | None]


class Publisher:
    """The right one: `waiting` is its outbox, what Kafka has not confirmed, and outlives `kill`."""

    limit = 0  # milliseconds that a message may wait for Kafka; 0: for ever
    under_way = 1000  # requests that may be on their way: a paused broker still gets those

    def __init__(self, broker: str) -> None:
        self._broker = broker
        self.waiting: dict[str, tuple[float, dict[str, Any]]] = {}
        self._producer = self._new_producer()

    def created(self, booking: Booking) -> None:
        self.send(CREATED, booking)

    def cancelled(self, booking: Booking) -> None:
        self.send(CANCELLED, booking, previous_status="CONFIRMED")

    def refused(self, booking: Booking) -> None:
        self.send(CANCELLED, booking, previous_status="PENDING")

    def retried(self, booking: Booking) -> None:
        pass

    def cancelled_again(self, booking: Booking) -> None:
        pass

    def send(self, kind: str, booking: Booking, **more: str) -> None:
        message_id = self.new_id()
        self.put(message_id, self.message(message_id, kind, booking, more))

    def message(self, message_id: str, kind: str, booking: Booking, more: dict[str, str]) -> dict[str, Any]:
        return {
            "topic": TOPIC,
            "key": self.key(booking),
            "value": self.value({**self.fields(booking), **more}),
            "headers": self.headers(message_id, kind),
        }

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def key(self, booking: Booking) -> str | None:
        return booking.id

    def fields(self, booking: Booking) -> dict[str, Any]:
        named = {"user_id": booking.user_id, "event_id": booking.event_id, "ticket_count": booking.ticket_count}
        return {"booking_id": booking.id, **named, "created_at": time_of(booking)}

    def value(self, fields: dict[str, Any]) -> str:
        return json.dumps(fields)

    def headers(self, message_id: str, kind: str) -> list[Header]:
        return [("message-id", message_id), ("type", kind), ("version", "1"), ("traceparent", "")]

    def put(self, message_id: str, message: dict[str, Any]) -> None:
        self.waiting[message_id] = time.monotonic(), message
        self._produce(message_id, message)

    def figures(self) -> dict[str, float]:
        self._producer.poll(0)
        oldest = min((since for since, _ in list(self.waiting.values())), default=time.monotonic())
        return {"outbox_messages_waiting": len(self.waiting), "outbox_oldest_seconds": time.monotonic() - oldest}

    def kill(self) -> None:
        self._producer.poll(0)
        self._producer.purge()
        self._producer = self._new_producer()

    def start(self) -> None:
        for message_id, (_, message) in list(self.waiting.items()):
            self._produce(message_id, message)

    def _produce(self, message_id: str, message: dict[str, Any]) -> None:
        def told(error: object, _: object) -> None:
            if error is None:
                self.waiting.pop(message_id, None)

        self._producer.produce(**message, on_delivery=told)
        self._producer.poll(0)

    def _new_producer(self) -> Producer:
        where = {"bootstrap.servers": self._broker, "log_level": 0, "reconnect.backoff.max.ms": 200}
        return Producer(
            {
                **where,
                "linger.ms": 0,
                "message.timeout.ms": self.limit,
                "partitioner": "murmur2_random",
                "max.in.flight": self.under_way,
            }
        )


def time_of(booking: Booking, hours: int = 0) -> str:
    moment = booking.created_at.ToDatetime(tzinfo=UTC) + timedelta(hours=hours)
    return moment.isoformat().replace("+00:00", "Z")
