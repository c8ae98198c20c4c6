"""What was counted, as Prometheus sees it. It is read from the tables, so a restart or a replay changes nothing.

Labels have closed sets of values. An event's id is none: the most popular events are told by their rank, and which they
are stands in the table.
"""

from collections.abc import Sequence

from messaging.exposition import counter, gauge
from prometheus_client.metrics_core import Metric

from metrics_consumer.consuming import Consuming
from metrics_consumer.postgres import PostgresCounts


class BookingFigures:
    def __init__(self, counts: PostgresCounts, consuming: Consuming, popular: int) -> None:
        self._counts = counts
        self._consuming = consuming
        self._popular = popular

    async def of_bookings(self) -> Sequence[Metric]:
        sums, today = await self._counts.totals(), await self._counts.today()
        cancelled = {"confirmed": sums.withdrawn, "pending": sums.refused}
        return [
            counter(
                "bookings",
                "Bookings that became confirmed, or cancelled",
                {"confirmed": sums.confirmed, "cancelled": sums.withdrawn + sums.refused},
                "status",
            ),
            counter("bookings_cancelled", "Cancelled bookings, by what they were before", cancelled, "previous_status"),
            counter("booking_tickets_sold", "Tickets of bookings that became confirmed", {"": sums.tickets_sold}),
            counter("booking_tickets_returned", "Tickets of these that were cancelled", {"": sums.tickets_returned}),
            gauge(
                "bookings_of_today",
                "Bookings made today (UTC), by what they are now",
                {"confirmed": today.confirmed - today.withdrawn, "cancelled": today.withdrawn + today.refused},
                "status",
            ),
            gauge(
                "tickets_of_today",
                "Tickets of the bookings made today (UTC)",
                {"": today.tickets_sold - today.tickets_returned},
            ),
        ]

    async def of_popular_events(self) -> Sequence[Metric]:
        found = [tickets for _, tickets in await self._counts.popular(self._popular)]
        ranks = {str(rank): found[rank - 1] if rank <= len(found) else 0 for rank in range(1, self._popular + 1)}
        return [gauge("popular_event_tickets", "Tickets of the events with the most, by rank", ranks, "rank")]

    async def of_the_consumer(self) -> Sequence[Metric]:
        member = self._consuming.subscription
        lag = {str(partition): behind for partition, behind in member.lag().items()} if member is not None else {}
        outcomes = dict(self._consuming.outcomes)
        return [
            counter("consumer_messages", "What became of messages in this process", outcomes, "outcome"),
            gauge("consumer_lag_messages", "Messages behind the end of a partition this process has", lag, "partition"),
        ]
