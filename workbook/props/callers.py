"""People who book, so many a second, while pods come and go; what became of each call."""

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import grpc
from booking_service.proto import booking_pb2 as pb
from booking_service.proto import booking_pb2_grpc

from workbook.props.addresses import Addresses

NOBODY, REFUSED, CUT_OFF = "nobody there", "refused", "cut off"
_PATIENCE = 20  # seconds that somebody waits for an answer
_QUICKLY = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100))

Channel = Callable[[], grpc.aio.Channel | None]


class Listed:
    """Channels of those who call from the list: the next address for each call, over a connection that is kept."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses, self._turns = addresses, itertools.count()
        self._channels: dict[str, grpc.aio.Channel] = {}

    def __call__(self) -> grpc.aio.Channel | None:
        if not (known := self._addresses.known):
            return None
        address = known[next(self._turns) % len(known)]
        if address not in self._channels:
            self._channels[address] = grpc.aio.insecure_channel(address, _QUICKLY)
        return self._channels[address]


class Balanced:
    """The channel of those who leave it to gRPC: it keeps a connection to each pod, and hears that one goes from it."""

    def __init__(self, ever: Sequence[str]) -> None:
        options = (("grpc.lb_policy_name", "round_robin"), *_QUICKLY)
        self._channel = grpc.aio.insecure_channel(f"ipv4:{','.join(ever)}", options)

    def __call__(self) -> grpc.aio.Channel | None:
        return self._channel


@dataclass
class Callers:
    """One booking after the other, nobody waits for the one before; inside the block, and until the last has ended.

    `tries` more than one are with the same key.
    """

    channel: Channel
    user: str = "ada"
    tries: int = 1
    per_second: float = 60
    answered: int = 0
    lost: Counter[str] = field(default_factory=Counter)

    async def __aenter__(self) -> Self:
        self._used: set[grpc.aio.Channel] = set()
        self._over = asyncio.Event()
        self._calling = asyncio.create_task(self._call())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._calling
        for channel in self._used:
            await channel.close()

    @property
    def said(self) -> str:
        """In one line."""
        why = ", ".join(f"{count} {what}" for what, count in self.lost.most_common())
        return f"{self.answered:4} answered, {self.lost.total():3} lost" + (f": {why}" if why else "")

    async def _call(self) -> None:
        async with asyncio.TaskGroup() as calls:
            while not self._over.is_set():
                calls.create_task(self._book(self.channel()))
                await asyncio.sleep(1 / self.per_second)

    async def _book(self, channel: grpc.aio.Channel | None) -> None:
        if channel is None:
            self.lost[NOBODY] += 1
            return
        self._used.add(channel)
        key, said = uuid.uuid4().hex, ""
        for _ in range(self.tries):
            try:
                await book(channel, self.user, key)
            except grpc.aio.AioRpcError as error:
                said = error.details() or ""
            else:
                self.answered += 1
                return
        self.lost[REFUSED if "refused" in said else CUT_OFF] += 1


async def book(channel: grpc.aio.Channel, user: str, key: str = "") -> None:
    """One booking; raises AioRpcError."""
    wish = pb.CreateBookingRequest(user_id=user, event_id="jazz-night", ticket_count=1, idempotency_key=key)
    await booking_pb2_grpc.BookingServiceStub(channel).CreateBooking(wish, timeout=_PATIENCE)
