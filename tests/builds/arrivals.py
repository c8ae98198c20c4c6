"""An event service that writes down each call that reaches it, so that a test can count them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from chassis.interceptor import Around, Call
from chassis.plugs import Plugs
from chassis.service import Service
from event_service.app import event_app
from event_service.config import EventSettings
from phase2 import SERVICES


class Arrivals(Around):
    """Appends the method of each call to a file, before anything else is done with it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        with self._file.open("a") as lines:  # one short line: written at once
            lines.write(f"{call.method.rpartition('/')[2]}\n")
        yield


def counted(file: str | None) -> Sequence[Service]:
    """Phase 2's services; with a file, the event service writes there what arrives."""
    if file is None:
        return SERVICES
    arrivals = Arrivals(Path(file))

    async def serve(settings: EventSettings) -> None:
        async with event_app(settings, plugs=Plugs(outside=[arrivals])) as server:
            await server.until_stopped()

    return [replace(service, serve=serve) if service.name == "event-service" else service for service in SERVICES]
