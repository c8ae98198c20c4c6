"""The outbox as Prometheus sees it: how much waits, and for how long."""

from collections.abc import Sequence

from chassis.postgres import Database
from messaging.exposition import counter, gauge
from prometheus_client.metrics_core import Metric

from booking_outbox.relay import Relay

WAITING = "SELECT count(*), coalesce(extract(epoch FROM now() - min(written_at)), 0) FROM outbox"


class OutboxFigures:
    """Any replica may be asked: what waits is read from the table, by the database's clock."""

    def __init__(self, database: Database, relay: Relay) -> None:
        self._database = database
        self._relay = relay

    async def of_the_relay(self) -> Sequence[Metric]:
        return [
            gauge("outbox_relay_leads", "1 where this process takes the messages to Kafka", {"": self._relay.leads}),
            counter("outbox_messages_sent", "Messages this process took to Kafka", {"": self._relay.sent}),
        ]

    async def of_the_table(self) -> Sequence[Metric]:
        async with self._database.connection() as connection:
            row = await (await connection.execute(WAITING)).fetchone()
        waiting, oldest = row or (0, 0)
        return [
            gauge("outbox_messages_waiting", "Messages not yet known to be at Kafka", {"": waiting}),
            gauge("outbox_oldest_seconds", "Age of the oldest of them; 0 when there is none", {"": float(oldest)}),
        ]
