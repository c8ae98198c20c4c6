"""The bookings as Prometheus sees them, read from the table: right after any restart, the same from every replica."""

from collections.abc import Sequence

from booking_service.domain import Status
from chassis.postgres import Database
from messaging.exposition import gauge
from prometheus_client.metrics_core import Metric

BY_STATUS = "SELECT status, count(*) FROM bookings GROUP BY status"

# The index of unsettled bookings is small, and all of these are in it.
UNSETTLED = """
SELECT coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'PENDING')), 0),
    coalesce(extract(epoch FROM now() - min(updated_at) FILTER (WHERE status = 'CANCELLED')), 0)
FROM bookings WHERE status = 'PENDING' OR (status = 'CANCELLED' AND NOT given_back)
"""


class BookingFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_status(self) -> Sequence[Metric]:
        async with self._database.connection() as connection:
            found = dict(await (await connection.execute(BY_STATUS)).fetchall())
        counts = {status.value.lower(): found.get(status.value, 0) for status in Status}
        return [gauge("bookings_by_status", "Bookings there are, by status", counts, "status")]

    async def unsettled(self) -> Sequence[Metric]:
        async with self._database.connection() as connection:
            row = await (await connection.execute(UNSETTLED)).fetchone()
        pending, kept = (max(0.0, float(age)) for age in row or (0, 0))
        about = "Age of the oldest booking that is PENDING; 0 when there is none"
        about_kept = "How long the oldest CANCELLED booking has kept its tickets; 0 when there is none"
        return [
            gauge("booking_oldest_pending_seconds", about, {"": pending}),
            gauge("booking_oldest_not_given_back_seconds", about_kept, {"": kept}),
        ]
