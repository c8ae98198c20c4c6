"""The right system and wrong ones, each with one mistake: `python wrong_systems.py FOLDER NAME [NAME …]`.

A system is an event service and a booking service that buys from it, on two free ports, all from this process; for
each it prints one line `{"name": …, "event-service": port, "booking-service": port}`. A file FOLDER/NAME.SERVICE.kill
takes a service's connections and all that its mistake does not store, and starts it again; the file is removed once it
is back. While FOLDER/NAME.SERVICE.pause is there, the service answers nothing.
"""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import structlog
from booking_saga.inventory import SERVICE_CONFIG
from booking_service.config import BookingSettings
from booking_service.handler import BookingHandler
from booking_service.proto.booking_pb2_grpc import add_BookingServiceServicer_to_server
from chassis.channel import open_channel
from chassis.interceptor import Continuation
from chassis.server import GrpcServer
from event_service.config import EventSettings
from event_service.proto.event_pb2_grpc import add_EventServiceServicer_to_server
from event_service.watching import Watching
from tests.checklist.wirings import SYSTEMS

from workbook.ports import free_port

WATCH_INTERVAL = 0.05


class Paused(grpc.aio.ServerInterceptor):
    """Answers nothing while a file is there, whatever is asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        while self._file.exists():
            await asyncio.sleep(0.05)
        return await continuation(handler_call_details)


class System:
    """Both services of one wiring, each with what it stores, and the ports they keep."""

    def __init__(self, name: str, folder: Path) -> None:
        self.wiring = SYSTEMS[name]
        self._files = f"{folder / name}"
        self.ports = {service: free_port() for service in ("event-service", "booking-service")}
        self._events = self.wiring.events()
        self._bookings = self.wiring.bookings()

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as services:
            services.create_task(self._again_and_again("event-service"))
            services.create_task(self._again_and_again("booking-service"))

    async def _again_and_again(self, service: str) -> None:
        kill = Path(f"{self._files}.{service}.kill")
        while True:
            async with self._running(service) as server, server.running(ready=self._ready):
                await _until_there(kill)
            if service == "event-service":
                self._events = self._events.after_kill()
            else:
                self._bookings = self._bookings.after_kill()

    @asynccontextmanager
    async def _running(self, service: str) -> AsyncIterator[GrpcServer]:
        outside = [Paused(Path(f"{self._files}.{service}.pause"))]
        given: dict[str, Any] = {"grpc_port": self.ports[service], "stop_grace": 0}
        async with AsyncExitStack() as stack:
            if service == "event-service":
                server = GrpcServer(EventSettings(**given), "event.EventService", outside=outside)
                watching = await stack.enter_async_context(Watching(self._events, WATCH_INTERVAL))
                add_EventServiceServicer_to_server(self.wiring.event_handler(self._events, watching), server.grpc)
            else:
                server = GrpcServer(BookingSettings(**given), "booking.BookingService", outside=outside)
                target = f"127.0.0.1:{self.ports['event-service']}"
                channel = await stack.enter_async_context(
                    open_channel(target, deadline_limit=self.wiring.patience, service_config=SERVICE_CONFIG)
                )
                use_cases = self.wiring.use_cases(self._bookings, self.wiring.inventory(channel))
                add_BookingServiceServicer_to_server(BookingHandler(use_cases), server.grpc)
            yield server

    async def _ready(self) -> None:
        if not self.wiring.ready:
            raise RuntimeError("this system never says that it is ready")


async def _until_there(kill: Path) -> None:
    await asyncio.to_thread(kill.unlink, missing_ok=True)
    while not await asyncio.to_thread(kill.exists):
        await asyncio.sleep(0.25)  # more than a hundred services look


async def main(folder: Path, names: Sequence[str]) -> None:
    async with asyncio.TaskGroup() as systems:
        for name in names:
            system = System(name, folder)
            systems.create_task(system.serve())
            print(json.dumps({"name": name, **system.ports}), flush=True)


def _end_with_the_owner() -> None:
    sys.stdin.read()  # it ends when the test that started us does, however it ends
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:] or list(SYSTEMS)))
