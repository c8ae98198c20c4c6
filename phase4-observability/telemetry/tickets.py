"""The tickets as Prometheus sees them, and the first law: what is available and what is reserved add up."""

from collections.abc import Sequence

from chassis.postgres import Database
from messaging.exposition import gauge
from prometheus_client.metrics_core import Metric

# One statement, and so one moment: between two of them somebody would book.
BALANCE = """
WITH reserved AS (
    SELECT event_id, sum(ticket_count) AS tickets FROM reservations WHERE released_at IS NULL GROUP BY event_id
), balance AS (
    SELECT e.capacity, e.available, coalesce(r.tickets, 0) AS reserved
    FROM events e LEFT JOIN reserved r ON r.event_id = e.id
)
SELECT coalesce(sum(capacity), 0), coalesce(sum(available), 0), coalesce(sum(reserved), 0),
    count(*) FILTER (WHERE available + reserved <> capacity OR available NOT BETWEEN 0 AND capacity)
FROM balance
"""


class TicketFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def balance(self) -> Sequence[Metric]:
        async with self._database.connection() as connection:
            row = await (await connection.execute(BALANCE)).fetchone()
        capacity, available, reserved, unbalanced = map(int, row or (0, 0, 0, 0))
        tickets = {"capacity": capacity, "available": available, "reserved": reserved}
        return [
            gauge("event_tickets", "Tickets of all events together", tickets, "state"),
            gauge("events_unbalanced", "Events that break law I1: available + reserved = capacity", {"": unbalanced}),
        ]
