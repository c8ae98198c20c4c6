"""Calling another service: one channel a target, for as long as the process lives."""

from collections.abc import Sequence
from typing import Any

import grpc

from chassis.deadlines import ClientDeadlines


def open_channel(
    target: str,
    *,
    deadline_limit: float,
    service_config: str = "{}",
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
) -> grpc.aio.Channel:
    """A channel whose calls carry on the deadline of the call being handled, at most `deadline_limit` seconds.

    Make it inside the running event loop and close it with `async with`. `service_config` is
    gRPC's JSON, for retries; `interceptors` stand outside the deadline.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.lb_policy_name", "round_robin"),  # all addresses of a DNS name get calls
        ("grpc.service_config", service_config),
        ("grpc.enable_http_proxy", 0),  # a proxy in the environment is for what is outside the system
        # A target that was started anew may have another address: ask for it again after a second, not after 30.
        ("grpc.dns_min_time_between_resolutions_ms", 1000),
        # A server that was away is found again within a second or so: by default the pauses double up to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1000),
    ]
    return grpc.aio.insecure_channel(target, options, interceptors=[*interceptors, ClientDeadlines(deadline_limit)])
