"""/v1/events/{event_id}/availability: how many tickets are left, as server-sent events."""

import json
from collections.abc import AsyncGenerator
from http import HTTPStatus

import grpc
from event_service.proto import event_pb2 as pb
from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.documented import problems
from api_gateway.events import EventId
from api_gateway.problems import Problem
from api_gateway.streams import EventStream, Streams
from api_gateway.watches import WatchEnded, Watches

router = APIRouter(prefix="/v1/events", tags=["events"])

_AGAIN = b"retry: 1000\n\n"  # milliseconds until a browser that lost the stream comes back
_ALIVE = b": still here\n\n"


class Availability:
    """What the streams of this process share; `heartbeat` seconds without news are told, so that no proxy gives up."""

    def __init__(self, watches: Watches, streams: Streams, heartbeat: float) -> None:
        self._watches = watches
        self._streams = streams
        self._heartbeat = heartbeat

    async def pieces(self, event_id: str, address: str) -> AsyncGenerator[bytes, None]:
        """Raises the event service's refusal if it is the first thing that comes; a later one ends the stream."""
        with self._streams.one(address):
            async with self._watches.watching(event_id) as watch:
                seen = None
                while True:
                    try:
                        latest = await watch.other_than(seen, self._heartbeat)
                    except WatchEnded:
                        return
                    except grpc.RpcError:
                        if seen is None:
                            raise
                        return
                    yield _ALIVE if latest is None else written(latest)
                    seen = latest or seen

    async def end(self) -> None:
        await self._watches.end()


@router.get(
    "/{event_id}/availability",
    status_code=200,
    responses={
        **problems(404),
        200: {
            "description": "An event `availability` now and at each change; the newest number replaces older ones.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'event: availability\ndata: {"event_id":"…","capacity":300,"available":120}\n\n',
                }
            },
        },
    },
    response_class=EventStream,
)
async def availability(request: Request, event_id: EventId) -> Response:
    """The tickets left, for as long as the client stays."""
    state = request.app.state
    pieces = state.availability.pieces(event_id.lower(), state.addresses.counted(request.scope))
    first = await anext(pieces, None)  # a refusal is a problem with a status of its own, as long as nothing is sent
    if first is None:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "ENDING", "the stream ended before it began; try again")
    return EventStream(_AGAIN + first, pieces)


def written(answer: pb.WatchAvailabilityResponse) -> bytes:
    numbers = {"event_id": answer.event_id, "capacity": answer.capacity, "available": answer.available_tickets}
    return f"event: availability\ndata: {json.dumps(numbers, separators=(',', ':'))}\n\n".encode()
