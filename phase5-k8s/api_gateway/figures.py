"""The metrics of HTTP requests. Labels come from closed sets: a client cannot make a series."""

from collections.abc import Iterable, Sequence

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from starlette.types import Scope
from telemetry.methods import OTHER
from telemetry.requests import BUCKETS

CLIENT_LEFT = 499
"""What is counted, as nginx does, for a request whose client did not wait for the answer."""

STATUSES = (200, 201, 204, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, CLIENT_LEFT, 500, 503, 504)


class HttpFigures:
    """Of requests to these routes, as (method, template); everything else is `other`."""

    def __init__(self, routes: Iterable[tuple[str, str]]) -> None:
        labels = ("method", "route")
        known = {*routes, (OTHER, OTHER)}
        self._total = Counter("http_requests", "HTTP requests by how they ended", (*labels, "status"), registry=None)
        self._seconds = Histogram(
            "http_request_duration_seconds", "How long HTTP requests took", labels, buckets=BUCKETS, registry=None
        )
        self._running = Gauge("http_requests_in_flight", "HTTP requests that have not ended", registry=None)
        self._known = {route: self._seconds.labels(*route) for route in known}
        self._ended = {
            (*route, status): self._total.labels(*route, str(status))
            for route in known
            for status in (*STATUSES, OTHER)
        }

    def name(self, scope: Scope) -> tuple[str, str]:
        """Method and route as the labels have them: the template of the path, never the path."""
        found = scope["method"], str(getattr(scope.get("route"), "path", OTHER))
        return found if found in self._known else (OTHER, OTHER)

    def begin(self) -> None:
        self._running.inc()

    def end(self, method: str, route: str, status: int, seconds: float | None, trace_id: str) -> None:
        """`seconds` is None for a stream: how long somebody looked on says nothing of us."""
        self._running.dec()
        self._ended[method, route, status if status in STATUSES else OTHER].inc()
        if seconds is not None:
            self._known[method, route].observe(seconds, {"trace_id": trace_id} if trace_id else None)

    async def figures(self) -> Sequence[Metric]:
        return [metric for family in (self._total, self._seconds, self._running) for metric in family.collect()]
