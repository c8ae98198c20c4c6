"""The process itself as Prometheus sees it: its CPU, memory and open files, from Linux's /proc."""

from collections.abc import Sequence

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric

_PROCESS = ProcessCollector(registry=None)


async def of_the_process() -> Sequence[Metric]:
    return list(_PROCESS.collect())
