"""A broker that a check can make refuse, and that sees whether a message was let go of too early."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

from workbook.props.outbox import Outbox


class Broker:
    """Takes messages and notes which arrived. It looks at the outbox as a newcomer would: what is gone there is gone.

    `refuses` is a row whose message does not arrive; `meanwhile` happens while the first message is on its way.
    """

    def __init__(
        self, outbox: Outbox, *, refuses: int = 0, meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self._outbox, self._refuses, self._meanwhile = outbox, refuses, meanwhile
        self.arrived: list[int] = []
        self.rows: list[tuple[int, uuid.UUID, str]] = []
        self.gone: list[int] = []
        self._on_their_way: list[asyncio.Future[None]] = []

    def publish(self, number: int, booking_id: uuid.UUID, kind: str) -> "asyncio.Future[None]":
        sending = asyncio.ensure_future(self._send(number, booking_id, kind))
        self._on_their_way.append(sending)
        return sending

    async def settle(self) -> None:
        """Waits for what nobody awaited."""
        await asyncio.gather(*self._on_their_way, return_exceptions=True)

    async def _send(self, number: int, booking_id: uuid.UUID, kind: str) -> None:
        self.rows.append((number, booking_id, kind))
        if number not in await self._outbox.ids():
            self.gone.append(number)
        if self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            await meanwhile()
        if number == self._refuses:
            raise ConnectionError("the broker is away")
        self.arrived.append(number)
