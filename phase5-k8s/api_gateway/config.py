"""What the gateway needs to know. All times in seconds, all sizes in bytes."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, TypeAlias

from access.config import AccessSettings
from chassis.settings import Limit, Port, ProcessSettings, Seconds
from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode
from telemetry.config import TelemetrySettings

Network: TypeAlias = IPv4Network | IPv6Network
Count = Annotated[int, Field(ge=1, le=1_000_000)]


def _names(written: object) -> object:
    """What stands between commas, without the blanks around it."""
    return tuple(name.strip() for name in written.split(",") if name.strip()) if isinstance(written, str) else written


def _networks(written: object) -> object:
    found = _names(written)
    return tuple(ip_network(each) for each in found) if isinstance(found, Iterable) else found


def _readable(written: str) -> str:
    parse(written)
    return written


Rate = Annotated[str, AfterValidator(_readable)]
"""So many requests in so much time, such as 600/minute or 5 per 10 seconds."""


class GatewaySettings(ProcessSettings, TelemetrySettings, AccessSettings):
    service_name: str = "api-gateway"
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9468

    booking_address: str = "127.0.0.1:50051"
    event_address: str = "127.0.0.1:50052"
    request_deadline: Limit = 10

    body_limit: Annotated[int, Field(ge=1024, le=2**24)] = 64 * 1024
    body_timeout: Limit = 10
    header_limit: Annotated[int, Field(ge=1024, le=2**20)] = 16 * 1024
    header_timeout: Limit = 10
    keep_alive: Seconds = 60

    connections: Count = 4096
    connections_per_address: Count = 1024
    streams: Count = 2000
    streams_per_address: Count = 200
    watched_events: Count = 200
    stream_heartbeat: Limit = 15

    traces_address: str = ""
    jaeger_address: str = ""
    jaeger_url: Annotated[str, Field(pattern="^(https?://[!-~]+)?$")] = ""
    story_patience: Limit = 2

    user_rate: Rate = "1200/minute"
    address_rate: Rate = "3000/minute"
    sign_in_rate: Rate = "60/minute"
    redis_url: SecretStr = SecretStr("")
    redis_patience: Seconds = 0.1
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
