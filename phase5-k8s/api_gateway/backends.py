"""The services behind the gateway: a channel each, and what goes along with every call."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import grpc
import user_service.addresses
from access import bearer
from booking_service.proto import booking_pb2
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.channel import open_channel
from event_service.proto import event_pb2
from event_service.proto.event_pb2_grpc import EventServiceStub
from starlette.requests import Request
from user_service.proto import user_pb2
from user_service.proto.user_pb2_grpc import UserServiceStub

from api_gateway.addresses import UNKNOWN
from api_gateway.callers import caller_of
from api_gateway.config import GatewaySettings

if TYPE_CHECKING:
    from booking_service.proto.booking_pb2_grpc import BookingServiceAsyncStub
    from event_service.proto.event_pb2_grpc import EventServiceAsyncStub
    from user_service.proto.user_pb2_grpc import UserServiceAsyncStub

BOOKING = booking_pb2.DESCRIPTOR.services_by_name["BookingService"]
EVENT = event_pb2.DESCRIPTOR.services_by_name["EventService"]
USER = user_pb2.DESCRIPTOR.services_by_name["UserService"]
Metadata: TypeAlias = tuple[tuple[str, str], ...]
_READS = {
    BOOKING.full_name: ("GetBooking", "ListUserBookings"),
    EVENT.full_name: ("GetEvent", "ListEvents"),
    USER.full_name: ("GetUser", "GetKeys"),
}

# Only what changes nothing is sent again, and once: the services behind repeat their own calls, and repeats multiply.
_REPEATS = {
    "methodConfig": [
        {
            "name": [{"service": name, "method": method} for name, methods in _READS.items() for method in methods],
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.05s",
                "maxBackoff": "0.2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}


@dataclass(frozen=True, slots=True)
class Backends:
    bookings: "BookingServiceAsyncStub"
    events: "EventServiceAsyncStub"
    users: "UserServiceAsyncStub"


def addresses_of(settings: GatewaySettings) -> dict[str, str]:
    """Where each service is, by its full name."""
    return {
        BOOKING.full_name: settings.booking_address,
        EVENT.full_name: settings.event_address,
        USER.full_name: settings.user_address,
    }


def service_config(service: str) -> str:
    """For a channel to this service: it watches the health of each of its addresses, and leaves those that go.

    Else it calls them until their server stops, and gRPC turns a call away that comes in that moment.
    """
    return json.dumps({**_REPEATS, "healthCheckConfig": {"serviceName": service}})


@asynccontextmanager
async def open_backends(
    settings: GatewaySettings, interceptors: Sequence[grpc.aio.ClientInterceptor] = ()
) -> AsyncIterator[Backends]:
    """`interceptors` stand around each call. No call takes longer than what is left of its request."""
    async with AsyncExitStack() as stack:
        channels = {
            name: await stack.enter_async_context(
                open_channel(
                    address,
                    deadline_limit=settings.request_deadline,
                    service_config=service_config(name),
                    interceptors=interceptors,
                )
            )
            for name, address in addresses_of(settings).items()
        }
        yield Backends(
            BookingServiceStub(channels[BOOKING.full_name]),
            EventServiceStub(channels[EVENT.full_name]),
            UserServiceStub(channels[USER.full_name]),
        )


def back(request: Request) -> Backends:
    found: Backends = request.app.state.backends
    return found


def token_of(request: Request) -> Metadata:
    """The metadata of a call for whoever asks: the token that came, and nothing else of the request.

    Raises the refusal of a request without a good one.
    """
    caller_of(request)
    return ((bearer.HEADER, request.scope["state"]["authorization"]),)


def for_a_stranger(request: Request) -> Metadata:
    """The metadata of a call for somebody who has no token yet: our own, and from where they are calling."""
    state = request.app.state
    address = state.addresses.of(request.scope)
    told = ((user_service.addresses.HEADER, address),) if address != UNKNOWN else ()
    return ((bearer.HEADER, f"Bearer {state.own_token.current()}"), *told)
