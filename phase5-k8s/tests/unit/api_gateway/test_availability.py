"""A stream that its gateway ends: in order after a first number, and refused before it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

import httpx
from api_gateway import availability, problems
from api_gateway.addresses import Addresses
from api_gateway.availability import Availability
from api_gateway.streams import Streams
from api_gateway.watches import Watches
from event_service.proto import event_pb2 as pb
from fastapi import FastAPI

if TYPE_CHECKING:
    from event_service.proto.event_pb2_grpc import EventServiceAsyncStub

PATH = "/v1/events/9c1e2ab4-3c5f-4a5c-8d0b-6f0d3a1e7b42/availability"


class Events:
    """An event service that tells some numbers, and then is silent."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers
        self.told = asyncio.Event()

    async def WatchAvailability(  # noqa: N802 # the method's name on the wire
        self, request: pb.WatchAvailabilityRequest
    ) -> AsyncIterator[pb.WatchAvailabilityResponse]:
        for number in self._numbers:
            yield pb.WatchAvailabilityResponse(event_id=request.event_id, capacity=9, available_tickets=number)
        self.told.set()
        await asyncio.Event().wait()


async def answer_when_ended(events: Events) -> httpx.Response:
    """What a watcher gets from a gateway that ends when all numbers were told."""
    app = FastAPI()
    app.router.routes.extend(availability.router.routes)
    app.state.addresses = Addresses(())
    app.state.availability = Availability(Watches(cast("EventServiceAsyncStub", events), 1), Streams(1, 1), 60)
    problems.answer_with_problems(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        asked = asyncio.create_task(client.get(PATH))
        await events.told.wait()
        await app.state.availability.end()
        return await asked


async def test_a_stream_that_ends_before_its_first_number_is_a_503() -> None:
    refused = await answer_when_ended(Events())
    assert (refused.status_code, refused.json()["reason"]) == (503, "ENDING")
    assert refused.headers["retry-after"] == "1"


async def test_a_stream_that_ends_after_a_number_ends_in_order() -> None:
    """The control."""
    answer = await answer_when_ended(Events(4))
    assert (answer.status_code, answer.text.count("data: ")) == (200, 1)
