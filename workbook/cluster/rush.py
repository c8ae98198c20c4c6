"""Tickets are sold through the gateway while pods are killed; then nothing is lost, and every replica has had calls."""

import re
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Protocol

from workbook.cluster.kubectl import asked
from workbook.cluster.visitors import Unexpected, Visitor, smoke
from workbook.terminal import DONE, console

_CAPACITY = 100_000
_ANSWERED = r'^grpc_requests_total\{(?=[^}]*side="server")(?=[^}]*method="%s")(?=[^}]*code="OK")[^}]*\} (\S+)$'
METHODS = {  # what each replica has to have answered
    "booking-service": "booking.BookingService/CreateBooking",
    "event-service": "event.EventService/ReserveTickets",
}


class Replicas(Protocol):
    """The pods of the services, and what a class does to them."""

    def names(self, service: str) -> Sequence[str]: ...
    def kill(self, name: str) -> None: ...
    def figures(self, service: str, name: str) -> str: ...
    def whole(self) -> None: ...


class Pods:
    """Those of the cluster that kubectl knows."""

    def names(self, service: str) -> Sequence[str]:
        these = f"--selector=app.kubernetes.io/name={service},app.kubernetes.io/component=server"
        return asked("get", "pods", these, "--field-selector=status.phase=Running", "--output=name").split()

    def kill(self, name: str) -> None:
        asked("delete", name, "--grace-period=0", "--force", "--wait=false")

    def figures(self, service: str, name: str) -> str:
        port = {"booking-service": 9465, "event-service": 9466}[service]
        read = f"from urllib.request import urlopen; print(urlopen('http://127.0.0.1:{port}/metrics').read().decode())"
        return asked("exec", name, "--container=service", "--", "python", "-c", read)

    def whole(self) -> None:
        asked("rollout", "status", "deployment", "--timeout=180s")


def rush(url: str, admin: tuple[str, str], replicas: Replicas, seconds: float = 60, visitors: int = 8) -> int:
    """How many tickets were sold; raises Unexpected for whatever is lost, sold twice, or left without calls."""
    smoke(url)
    event_id = _new_event(url, admin)
    over = threading.Event()
    with ThreadPoolExecutor(visitors) as pool:
        buying = [pool.submit(_buys, url, event_id, over) for _ in range(visitors)]
        try:
            _kill_now_and_then(replicas, seconds)
            replicas.whole()
            _until_each_is_called(replicas)
        finally:
            over.set()
        sold = [booking for each in buying for booking in each.result()]
    left = Visitor(url).asks("GET", f"/v1/events/{event_id}")["available_tickets"]
    if len(set(sold)) != len(sold) or left != _CAPACITY - len(sold):
        raise Unexpected(f"{len(sold)} bookings were confirmed, and {_CAPACITY - left} tickets are gone")
    console.print(f"{DONE} {len(sold)} tickets sold while pods were killed: none lost, none sold twice")
    return len(sold)


def make_admin() -> tuple[str, str]:
    """An admin's e-mail and password, made in a pod of the user service."""
    email, password = f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(16)
    given = (f"ADMIN_EMAIL={email}", f"ADMIN_PASSWORD={password}")
    asked("exec", "deployment/user-service", "--", "env", *given, "python", "-m", "phase5", "make-admin")
    return email, password


def _new_event(url: str, admin: tuple[str, str]) -> str:
    organiser = Visitor(url)
    organiser.logs_in(*admin)
    start = datetime.now(UTC) + timedelta(days=30)
    new = {
        "name": "The rush",
        "kind": "concert",
        "starts_at": start.isoformat(),
        "venue": "Hall",
        "capacity": _CAPACITY,
    }
    return str(organiser.asks("POST", "/v1/events", new)["id"])


def _buys(url: str, event_id: str, over: threading.Event) -> list[str]:
    visitor = Visitor(url)
    visitor.joins()
    sold = []
    while not over.is_set():
        sold.append(visitor.books(event_id))
    return sold


def _kill_now_and_then(replicas: Replicas, seconds: float) -> None:
    """One pod of one service every five seconds: the others go on, and a new one comes."""
    deadline = time.monotonic() + seconds
    for service in cycle(METHODS):
        time.sleep(min(5, seconds / 2))
        if time.monotonic() > deadline:
            return
        if names := replicas.names(service):
            replicas.kill(names[0])


def _until_each_is_called(replicas: Replicas, patience: float = 120) -> None:
    deadline, idle = time.monotonic() + patience, ["nobody was asked"]
    while idle and time.monotonic() < deadline:
        idle = [name for service in METHODS for name in replicas.names(service) if not _calls(replicas, service, name)]
        time.sleep(1)
    if idle:
        raise Unexpected(f"without a call: {', '.join(idle)}")
    console.print(f"{DONE} every replica gets calls")


def _calls(replicas: Replicas, service: str, name: str) -> float:
    found = re.search(_ANSWERED % re.escape(METHODS[service]), replicas.figures(service, name), re.MULTILINE)
    return float(found[1]) if found else 0
