"""The connection pool as Prometheus sees it: is the database the one everybody waits for?"""

from collections.abc import Sequence

from chassis.postgres import Database
from messaging.exposition import counter, gauge
from prometheus_client.metrics_core import Metric


class PoolFigures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self) -> Sequence[Metric]:
        usage = self._database.usage()
        idle = usage.get("pool_available", 0)
        states = {"idle": idle, "used": usage.get("pool_size", 0) - idle}
        waited = usage.get("requests_wait_ms", 0) / 1e3
        errors = {kind: usage.get(f"{kind}_errors", 0) for kind in ("requests", "connections")}
        return [
            gauge("db_pool_connections", "Connections to the database, by what they do", states, "state"),
            gauge("db_pool_connections_max", "Connections this process may have", {"": usage.get("pool_max", 0)}),
            gauge("db_pool_waiting", "Callers who wait for a connection", {"": usage.get("requests_waiting", 0)}),
            counter("db_pool_requests", "Callers who wanted a connection", {"": usage.get("requests_num", 0)}),
            counter("db_pool_wait_seconds", "How long they waited, together", {"": waited}),
            counter("db_pool_errors", "Callers who got none; connections that could not be made", errors, "kind"),
        ]
