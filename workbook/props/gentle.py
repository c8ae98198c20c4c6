"""People who book, a few a second, for as long as a block lasts; whatever becomes of it."""

import threading
from contextlib import suppress
from typing import Self

import grpc
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc
from event_service.proto import event_pb2, event_pb2_grpc
from google.protobuf.timestamp_pb2 import Timestamp

from workbook.stack import LocalStack

_PATIENCE = 3  # seconds that somebody waits for an answer
_TICKETS = 100_000


class Gentle:
    """Each booking is of one ticket of the same event; nobody waits for the one before. In a thread of its own."""

    def __init__(self, stack: LocalStack, per_second: float = 10) -> None:
        self._stack = stack
        self._pause = 1 / per_second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._book, daemon=True, name="customers")
        self.event_id = ""

    def __enter__(self) -> Self:
        self.event_id = self._on_sale()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _on_sale(self) -> str:
        starts_at = Timestamp()
        starts_at.FromJsonString("2099-12-31T20:00:00Z")
        new = event_pb2.CreateEventRequest(
            name="Jazz night", kind="concert", starts_at=starts_at, venue="Babylon", capacity=_TICKETS
        )
        with grpc.insecure_channel(self._stack["event-service"].address) as channel:
            return str(event_pb2_grpc.EventServiceStub(channel).CreateEvent(new, timeout=10).event.id)

    def _book(self) -> None:
        with grpc.insecure_channel(self._stack["booking-service"].address) as channel:
            stub = booking_pb2_grpc.BookingServiceStub(channel)
            wish = pb.CreateBookingRequest(user_id="ada", event_id=self.event_id, ticket_count=1)
            asked = []
            while not self._over.wait(self._pause):
                asked.append(stub.CreateBooking.future(wish, timeout=_PATIENCE))
            for each in asked:
                with suppress(grpc.RpcError):  # what became of it, the figures tell
                    each.result()
