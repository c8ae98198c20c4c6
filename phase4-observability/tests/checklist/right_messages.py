"""Phase 3's right publisher and consumer, with traces; and who is told of what happens to a booking."""

from typing import Any

from booking_service.proto.booking_pb2 import Booking
from tests.checklist.answering import page
from tests.checklist.right_counters import Counters
from tests.checklist.right_metrics import BookingMetrics
from tests.checklist.right_publisher import Header, Publisher
from tests.checklist.right_tracing import Tracer


class TracedPublisher(Publisher):
    def __init__(self, broker: str, tracer: Tracer) -> None:
        self._tracer = tracer
        super().__init__(broker)

    def headers(self, message_id: str, kind: str) -> list[Header]:
        return [*super().headers(message_id, kind)[:-1], ("traceparent", self._tracer.message(self._tracer.current))]


class TracedCounters(Counters):
    def __init__(self, broker: str, tracer: Tracer) -> None:
        super().__init__(broker)
        self._tracer = tracer
        self.page = page(self.shown)  # type: ignore[assignment]

    def shown(self) -> str:
        return f"# TYPE bookings_total counter\n{super().shown()}"

    def take(self, message: Any) -> None:
        super().take(message)
        headers = {name: (value or b"").decode() for name, value in message.headers() or ()}
        self._tracer.consumed("process bookings", headers.get("traceparent", ""))


class CountsDeliveries(TracedCounters):
    """Each delivery of a message is a booking."""

    def is_new(self, message: Any, headers: Any) -> bool:
        return True


class Told:
    """Metrics hear of everything, and Kafka of what its publisher tells."""

    def __init__(self, metrics: BookingMetrics, publisher: Publisher | None) -> None:
        self._listeners = [metrics, *([publisher] if publisher else [])]

    def created(self, booking: Booking) -> None:
        for each in self._listeners:
            each.created(booking)

    def cancelled(self, booking: Booking) -> None:
        for each in self._listeners:
            each.cancelled(booking)

    def refused(self, booking: Booking) -> None:
        for each in self._listeners:
            each.refused(booking)

    def retried(self, booking: Booking) -> None:
        for each in self._listeners:
            each.retried(booking)

    def cancelled_again(self, booking: Booking) -> None:
        for each in self._listeners:
            each.cancelled_again(booking)
