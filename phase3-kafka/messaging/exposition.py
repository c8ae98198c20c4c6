"""An HTTP endpoint for Prometheus whose figures are read when they are asked for, in the service's own event loop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from chassis.server import CannotListen
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Figures = Callable[[], Awaitable[Sequence[Metric]]]

_PATIENCE = 0.8  # seconds a scrape waits for all of them: the local stack's Prometheus hangs up after one

log = structlog.get_logger(__name__)


class _Asking(Collector):
    """Asks all sources when Prometheus asks us. What cannot be read now is left out: a gap tells the truth."""

    def __init__(self, sources: Sequence[Figures], loop: asyncio.AbstractEventLoop) -> None:
        self._sources = sources
        self._loop = loop

    def collect(self) -> Iterable[Metric]:
        return asyncio.run_coroutine_threadsafe(_in_time(self._sources), self._loop).result()

    def describe(self) -> Iterable[Metric]:
        return []  # else the registry would ask for all figures once, before anything is ready


@asynccontextmanager
async def exposed(host: str, port: int, *sources: Figures) -> AsyncIterator[int]:
    """Serves the figures inside the block; yields the port."""
    registry = CollectorRegistry()
    registry.register(_Asking(sources, asyncio.get_running_loop()))
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
    try:
        yield server.server_port
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()


async def _in_time(sources: Sequence[Figures]) -> Sequence[Metric]:
    """All are asked at once: were it one after the other, a database that is away would cost its patience each time."""
    asked = [asyncio.ensure_future(source()) for source in sources]
    await asyncio.wait(asked, timeout=_PATIENCE)
    return [metric for figures in asked for metric in _told(figures)]


def _told(figures: asyncio.Future[Sequence[Metric]]) -> Sequence[Metric]:
    # What is not done yet is not waited for any longer: a driver may take seconds to tell a paused database so.
    if figures.cancel():
        log.warning("figures left out", error=f"not there after {_PATIENCE} s")
        return ()
    if error := figures.exception():
        log.warning("figures left out", error=f"{type(error).__name__}: {error}")
        return ()
    return figures.result()


def counter(name: str, about: str, values: Mapping[str, float], label: str = "") -> Metric:
    """A counter with a value for each of a closed set of label values, or for "" without a label."""
    return _filled(CounterMetricFamily(name, about, labels=[label] if label else []), values)


def gauge(name: str, about: str, values: Mapping[str, float], label: str = "") -> Metric:
    return _filled(GaugeMetricFamily(name, about, labels=[label] if label else []), values)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[str, float]) -> Metric:
    for label, value in values.items():
        family.add_metric([label] if label else [], value)
    return family
