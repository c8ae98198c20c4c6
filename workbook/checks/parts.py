"""How each part of a system is asked if it is there: services by gRPC, Kafka in its own words, the rest by HTTP."""

import socket
import time
import urllib.request
from contextlib import AbstractContextManager
from http.client import HTTPException
from typing import Any, Protocol, Self
from urllib.error import HTTPError

from workbook.checks.probe import Connection, silence

KAFKA, METRICS = "kafka", "/metrics"
GATEWAY, GATEWAY_SERVICE = "gateway", "api-gateway"  # how a target names its address, and who listens there
PAGES = {
    "metrics-consumer": "metrics-consumer",
    "booking-metrics": "booking-service",
    "event-metrics": "event-service",
}
"""The pages for Prometheus, at /metrics, and whose each is."""
WATCHERS = {
    "prometheus": "/-/ready",
    "alertmanager": "/-/ready",
    "grafana": "/api/health",
    "jaeger": "/",
    "traces": "/spans?newest=0",
}
"""What looks on, and where each says that it is there. `traces` is the receiver of a local stack."""


class Watched(Protocol):
    def broke_within(self, seconds: float) -> bool: ...


def is_service(name: str) -> bool:
    """Whether this part of a system is one that answers gRPC."""
    return name not in {KAFKA, GATEWAY} and name not in PAGES and name not in WATCHERS


def silence_of(name: str, address: str, patience: float) -> str:
    """Why the part does not answer at `address`, in words; "" when it does."""
    if is_service(name):
        return silence(address, patience)
    if name == KAFKA:
        return _kafka_silence(address, patience)
    if name == GATEWAY:
        return _http_silence(address, patience)
    return _page_silence(f"http://{address}{WATCHERS.get(name, METRICS)}", patience)


def answers_within(name: str, address: str, seconds: float) -> bool:
    """Whether the part answers now or before `seconds` are over."""
    deadline = time.monotonic() + seconds
    while silence_of(name, address, 1):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def connection_to(name: str, address: str) -> "AbstractContextManager[Watched]":
    """A connection that tells whether the part's process went away meanwhile."""
    return Connection(address) if is_service(name) else _Line(address)


def page(address: str, patience: float) -> str:
    """What HOST:PORT/metrics says; raises OSError, HTTPException."""
    with opened(f"http://{address}{METRICS}", patience) as answer:
        return str(answer.read().decode(errors="replace"))


def opened(url: str | urllib.request.Request, patience: float) -> Any:
    """The answer to a request over HTTP, to be closed; raises OSError, HTTPException."""
    # No proxy: the address is the one that was given.
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=patience)


class _Line:
    """A connection on which nothing is said: a server that lives leaves it open."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._where = (host.strip("[]"), int(port))

    def __enter__(self) -> Self:
        self._socket = socket.create_connection(self._where, timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def broke_within(self, seconds: float) -> bool:
        self._socket.settimeout(seconds)
        try:
            return not self._socket.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True


def _kafka_silence(address: str, patience: float) -> str:
    from workbook.kafka.answers import answers  # noqa: PLC0415 - the client takes long to import

    return "" if answers(address, patience) else f"no Kafka answers at {address} within {patience:g} s"


def _http_silence(address: str, patience: float) -> str:
    """Any answer will do: nobody knows yet which paths there are."""
    try:
        opened(f"http://{address}/healthz", patience).close()
    except HTTPError:
        return ""
    except (OSError, HTTPException) as error:
        return f"nothing answers over HTTP at {address} ({error}): start your gateway there, or correct the address"
    return ""


def _page_silence(url: str, patience: float) -> str:
    try:
        with opened(url, patience) as answer:
            answer.read()
    except (OSError, HTTPException) as error:
        return f"{url} cannot be read ({error})"
    return ""
