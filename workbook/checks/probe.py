"""Is a gRPC server there? Asked without knowing any of its methods."""

import socket
import time
from typing import Any, Self

import grpc

_NO_SUCH_METHOD = "/checklist.Probe/AreYouThere"  # every gRPC library answers UNIMPLEMENTED without running user code


def open_channel(address: str) -> grpc.Channel:
    """A channel with a connection of its own that comes back quickly after a restart."""
    options: list[tuple[str, Any]] = [
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_http_proxy", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
    ]
    return grpc.insecure_channel(address, options)


def silence(address: str, patience: float) -> str:
    """Why no gRPC server answers at `address`, in words; "" when one does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=patience).close()
    except OSError as error:
        return (
            f"nothing answers at {address} ({error.strerror or error}): start your server there, or correct the address"
        )
    with open_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=patience)
        except grpc.FutureTimeoutError:
            return (
                f"something listens at {address} but does not answer as gRPC: the right port, without TLS, not paused?"
            )
        if _answers(channel, patience):
            return ""
    return f"{address} accepts connections but answered no call within {patience:g} s: is it paused or deadlocked?"


def answers_within(address: str, seconds: float) -> bool:
    """Whether a gRPC server answers at `address`, now or before `seconds` are over."""
    deadline = time.monotonic() + seconds
    while silence(address, 1):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _answers(channel: grpc.Channel, patience: float) -> bool:
    try:
        ask: Any = channel.unary_unary(_NO_SUCH_METHOD)
        ask(b"", timeout=patience)
    except grpc.RpcError as refusal:
        status: Any = refusal
        return status.code() not in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
    return True


class Connection:
    """Watches one connection to a server, to tell whether the server's process went away meanwhile."""

    def __init__(self, address: str) -> None:
        self._channel = open_channel(address)
        self._ready = False
        self.broke = False

    def __enter__(self) -> Self:
        self._channel.subscribe(self._changed)
        grpc.channel_ready_future(self._channel).result(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def broke_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.broke and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.broke

    def _changed(self, state: grpc.ChannelConnectivity) -> None:
        self.broke = self.broke or (self._ready and state is not grpc.ChannelConnectivity.READY)
        self._ready = self._ready or state is grpc.ChannelConnectivity.READY
