"""The seat ledger: a picture that grows while tickets are sold."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Self

import grpc
from event_service.proto import event_pb2, event_pb2_grpc

from workbook.props.growing import GLANCE, GrowingPicture


class SeatLedger:
    """Draws, inside its block, tickets left (as the event service's stream says) and tickets sold (see `sold`).

    While the event service is away the last number stands.
    """

    def __init__(self, event_address: str, event_id: str) -> None:
        self._address = event_address
        self._event_id = event_id
        self._left = self._sold = 0
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        watcher = asyncio.create_task(self._watch())
        self._stack.callback(watcher.cancel)
        async with asyncio.timeout(10):
            while not self._left:  # noqa: ASYNC110 - the first number comes with the stream
                await asyncio.sleep(GLANCE)
        await self._stack.enter_async_context(GrowingPicture(lambda: {"tickets left": self._left, "sold": self._sold}))
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(2 * GLANCE)  # the stream may be one reading behind
        await self._stack.aclose()

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
                await asyncio.sleep(GLANCE)
