"""A system that has the roadmap and nothing else: phase 2's, and of phase 3 the five fields and one counter.

A topic by another name, no keys, no headers, no word of cancellations; a counter in memory.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from typing import Any

import grpc
from confluent_kafka import Consumer, Producer, TopicPartition
from grpc_reflection.v1alpha import reflection
from tests.checklist import roadmap_system as phase2
from tests.checklist.shown_page import shown_page, text_of

TOPIC = "booking-events"
SERVICES = ("event.EventService", "booking.BookingService")


class Telling(phase2.Bookings):
    """Books, then tells Kafka: the roadmap's words as they stand."""

    producer: Producer

    def CreateBooking(self, request: Any, answer: Any) -> None:
        super().CreateBooking(request, answer)
        booking = answer.booking
        event: Mapping[str, Any] = {
            "booking_id": booking.id,
            "user_id": booking.user_id,
            "event_id": booking.event_id,
            "ticket_count": booking.ticket_count,
            "created_at": booking.created_at.ToDatetime(tzinfo=UTC).isoformat(),
        }
        self.producer.produce(TOPIC, json.dumps(event))
        self.producer.poll(0)


@contextmanager
def roadmap_messaging() -> Iterator[str]:
    """The target of such a system, which runs inside the block."""
    broker = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "linger.ms": 0, "log_level": 0})
    (here,) = broker.list_topics(TOPIC, timeout=5).brokers.values()
    server, port = _serving(broker)
    with _counting(f"{here.host}:{here.port}") as page:
        services = f"booking-service=127.0.0.1:{port},event-service=127.0.0.1:{port}"
        yield f"{services},kafka={here.host}:{here.port},metrics-consumer={page}"
        server.stop(None)


def _serving(producer: Producer) -> tuple[grpc.Server, int]:
    events = phase2.compiled(phase2.EVENT_PROTO.read_text())
    bookings = phase2.compiled(phase2.BOOKING_PROTO.read_text())
    described = phase2.messages_of(bookings, SERVICES[1]), phase2.messages_of(events, SERVICES[0])
    server = grpc.server(ThreadPoolExecutor(20))
    port = server.add_insecure_port("127.0.0.1:0")
    telling = Telling(*described, grpc.insecure_channel(f"127.0.0.1:{port}"))
    telling.producer = producer
    handlers = (
        phase2.handler(bookings, SERVICES[1], telling),
        phase2.handler(events, SERVICES[0], phase2.Events(described[1])),
    )
    server.add_generic_rpc_handlers(handlers)
    reflection.enable_server_reflection((SERVICES[1], reflection.SERVICE_NAME), server, pool=bookings)
    server.start()
    return server, port


@contextmanager
def _counting(broker: str) -> Iterator[str]:
    """The page of a consumer that counts what comes."""
    counted, over = [0], threading.Event()
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "counting", "log_level": 0})
    partitions = consumer.list_topics(TOPIC, 5).topics[TOPIC].partitions
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in partitions])

    def count() -> None:
        while not over.is_set():
            counted[0] += len(consumer.consume(100, 0.05))
        consumer.close()

    counting = threading.Thread(target=count, daemon=True)
    counting.start()
    page = shown_page(lambda: text_of({"booking_events_counted": counted[0]}))
    page.start()
    yield page.address
    page.kill()
    over.set()
    counting.join()
