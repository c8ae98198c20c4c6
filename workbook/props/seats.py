"""The seat ledger: a picture that grows while tickets are sold."""

import asyncio
import time
from contextlib import suppress
from typing import Any, Self

import grpc
from event_service.proto import event_pb2, event_pb2_grpc
from IPython.display import DisplayHandle

from workbook.pictures import ledger_image

_GLANCE, _REDRAW = 0.05, 0.7  # seconds


class SeatLedger:
    """Draws, inside its block, tickets left (as the event service's stream says) and tickets sold (see `sold`).

    While the event service is away the last number stands.
    """

    def __init__(self, event_address: str, event_id: str) -> None:
        self._address = event_address
        self._event_id = event_id
        self._left = self._sold = 0
        self._at: list[float] = []
        self._lines: dict[str, list[float]] = {"tickets left": [], "sold": []}
        self._picture: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._watcher = asyncio.create_task(self._watch())
        self._tasks = [self._watcher]
        async with asyncio.timeout(10):
            while not self._left:  # noqa: ASYNC110 - the first number comes with the stream
                await asyncio.sleep(_GLANCE)
        self._began = time.monotonic()
        self._glance()
        self._picture.display(self._image())
        self._tasks += [asyncio.create_task(self._every(_GLANCE, self._glance)), asyncio.create_task(self._redraw())]
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(2 * _GLANCE)  # the stream may be one reading behind
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._glance()
        self._picture.update(self._image())

    def sold(self, tickets: int) -> None:
        """Counts tickets of a booking that was confirmed just now; a cancelled one counts below zero."""
        self._sold += tickets

    async def _watch(self) -> None:
        ask = event_pb2.WatchAvailabilityRequest(event_id=self._event_id)
        async with grpc.aio.insecure_channel(self._address, [("grpc.max_reconnect_backoff_ms", 500)]) as channel:
            while True:
                with suppress(grpc.aio.AioRpcError):
                    async for answer in event_pb2_grpc.EventServiceStub(channel).WatchAvailability(ask):
                        self._left = answer.available_tickets
                await asyncio.sleep(_GLANCE)

    async def _every(self, seconds: float, work: Any) -> None:
        while True:
            await asyncio.sleep(seconds)
            work()

    async def _redraw(self) -> None:
        while True:
            await asyncio.sleep(_REDRAW)
            self._picture.update(await asyncio.to_thread(self._image))

    def _glance(self) -> None:
        self._at.append(time.monotonic() - self._began)
        self._lines["tickets left"].append(self._left)
        self._lines["sold"].append(self._sold)

    def _image(self) -> Any:
        count = len(self._at)
        return ledger_image({name: values[:count] for name, values in self._lines.items()}, self._at[:count])
