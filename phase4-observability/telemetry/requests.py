"""The metrics of gRPC requests: how many, how they ended, how long they took, how many are under way."""

from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics_core import Metric

from telemetry.methods import CODES, Methods

OBJECTIVE = 0.25
"""Seconds within which a request should be answered. A bucket ends exactly here, and the ones around it are narrow: how
many requests met the objective is then read and not guessed."""

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, OBJECTIVE, 0.3, 0.4, 0.5, 1, 2, 5, 10)

disable_created_metrics()  # type: ignore[no-untyped-call]  # else each counter has a twin that tells when it was made


class RequestMetrics:
    """The metrics of one process, for both sides of its requests."""

    def __init__(self) -> None:
        labels = ("side", "method")
        self.total = Counter("grpc_requests", "gRPC requests by how they ended", (*labels, "code"), registry=None)
        self.seconds = Histogram(
            "grpc_request_duration_seconds", "How long gRPC requests took", labels, buckets=BUCKETS, registry=None
        )
        self.running = Gauge("grpc_requests_in_flight", "gRPC requests that have not ended", labels, registry=None)

    async def figures(self) -> Sequence[Metric]:
        return [metric for family in (self.total, self.seconds, self.running) for metric in family.collect()]


class Requests:
    """The requests of one side: those this process answers (`server`), or those it makes (`client`).

    Every label value that can come is there from the start, at 0: a rate sees the first error, and no series appears
    because of what a client sent.
    """

    def __init__(self, metrics: RequestMetrics, side: str, methods: Methods) -> None:
        self._methods = methods
        # Looked up once: finding a series by its labels costs as much as counting in it.
        self._seconds = {method: metrics.seconds.labels(side, method) for method in methods.names}
        self._running = {method: metrics.running.labels(side, method) for method in methods.names}
        self._total = {
            (method, code): metrics.total.labels(side, method, code) for method in methods.names for code in CODES
        }

    def name(self, path: str | bytes) -> str:
        return self._methods.name(path)

    def begin(self, method: str) -> None:
        self._running[method].inc()

    def end(self, method: str, code: str, seconds: float, trace_id: str = "") -> None:
        """`trace_id` names a trace that shows this request, "" when nobody keeps one."""
        self._running[method].dec()
        self._total[method, code].inc()
        self._seconds[method].observe(seconds, {"trace_id": trace_id} if trace_id else None)

    def refused(self, method: str, code: str) -> None:
        """Counts a request that gRPC itself has answered, before anybody could measure it."""
        self._total[method, code].inc()
