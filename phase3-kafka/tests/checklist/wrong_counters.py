"""What a consumer can do wrong, a mistake each or a few of a kind."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_END
from tests.checklist.right_counters import Counters, Fields, Tables
from tests.checklist.right_publisher import CANCELLED, CREATED


class ShowsNoFigures(Counters):
    def shown(self) -> str:
        return "<html>Welcome to the metrics consumer</html>"


class CountsOutsideTheContract(Counters):
    """What a learner's own may be like: a counter by another name."""

    def figures(self) -> dict[str, float]:
        return {"booking_events_processed": self.tables.sums["confirmed"]}


class CountsBatches(CountsOutsideTheContract):
    """And in another unit."""

    def booked(self, fields: Fields, tickets: int) -> None:
        self.tables.sums["confirmed"] = -(-len(self.tables.seen) // 100)


class CountsCarelessly(Counters):
    """Every message is a booking; tickets of cancelled ones stay sold, today as well."""

    def withdrawn(self, fields: Fields, tickets: int) -> None:
        self.booked(fields, tickets)


class CountsTicketsAsBookings(Counters):
    def booked(self, fields: Fields, tickets: int) -> None:
        super().booked(fields, tickets)
        self.tables.sums["confirmed"] += tickets - 1


class TakesNothingBack(Counters):
    """Today's bookings and an event's tickets only grow, as its lag does."""

    def withdrawn(self, fields: Fields, tickets: int) -> None:
        super().withdrawn(fields, tickets)
        self.tables.events[fields["event_id"]] += tickets

    def figures(self) -> dict[str, float]:
        growing = {'bookings_of_today{status="confirmed"}': self.tables.sums["confirmed"]}
        return {**super().figures(), **growing, 'consumer_lag_messages{partition="0"}': len(self.tables.seen)}


class KnowsByOffset(Counters):
    def known_as(self, message: Any, headers: Mapping[str, str]) -> Any:
        return message.partition(), message.offset()


class KnowsByPartition(Counters):
    """Each partition with its own ids; and any type is a booking."""

    def known_as(self, message: Any, headers: Mapping[str, str]) -> Any:
        return message.partition(), headers["message-id"]

    def read(self, headers: Mapping[str, str], value: bytes) -> Fields | None:
        known = headers["type"] == CANCELLED
        return super().read(headers if known else {**headers, "type": CREATED}, value)

    def count(self, kind: str, fields: Fields) -> None:
        super().count(kind if kind == CANCELLED else CREATED, fields)


class StopsAtPoison(Counters):
    """It tries the same message for ever; its other partitions go on."""

    def __init__(self, broker: str) -> None:
        super().__init__(broker)
        self._stuck: set[int] = set()

    def take(self, message: Any) -> None:
        if message.partition() not in self._stuck:
            super().take(message)

    def bury(self, message: Any, error: str) -> None:
        self._stuck.add(message.partition())


class CountsPoison(Counters):
    """What cannot be read is a booking of one ticket."""

    def bury(self, message: Any, error: str) -> None:
        super().bury(message, error)
        self.tables.sums.update(confirmed=1, sold=1)


class DropsPoison(Counters):
    def bury(self, message: Any, error: str) -> None:
        pass


class RewritesPoison(Counters):
    def bury(self, message: Any, error: str) -> None:
        value = json.dumps({"error": error, "value": message.value().decode()}).encode()
        self.put_aside(message.key(), value, [*message.headers(), *self.note(message, error)])


class NotesNothing(Counters):
    def note(self, message: Any, error: str) -> list[tuple[str, bytes]]:
        return []


class ForgetsCounts(Counters):
    """Today's figures are kept in memory."""

    def kill(self) -> None:
        super().kill()
        self.tables = Tables(offsets=self.tables.offsets)


class BeginsAtTheEnd(Counters):
    """What came while nobody was there is never read."""

    def start_at(self, partition: int) -> int:
        return OFFSET_END if self.tables.offsets else 0


class StoresBeforeItCounts(Counters):
    """What it has taken when it is killed is lost. It holds on to it for longer than the pause between two bookings."""

    def handle(self, messages: Sequence[Any]) -> None:
        for message in messages:
            self.done(message)
        if messages and not self._stopped.wait(0.7):
            for message in messages:
                self.take(message)


class ForgetsIds(Counters):
    """Its ids are in memory, its counts are not, and it reads everything again."""

    def kill(self) -> None:
        super().kill()
        self.tables.seen, self.tables.offsets = set(), {}
