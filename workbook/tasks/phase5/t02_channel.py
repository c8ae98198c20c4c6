"""Task 5.2: options of a channel and of a server by which a new copy gets its calls. Checked on real ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from workbook.lesson.task import Task, Wrong, wants
from workbook.props.copies import Copies, ask, copies
from workbook.tasks.phase5.wrong_channel import WRONG

PAUSE = 0.01  # seconds between two calls
CONNECTED, CALLED = 5.0, 6.0  # seconds until a channel has a line to all copies; until a new one has had its first call
CALLS = 120
SHORTEST = 0.3  # seconds that a connection lasts at least
AGE, ASKED = "grpc.max_connection_age_ms", "grpc.dns_min_time_between_resolutions_ms"


async def check(channel_options: Any, server_options: Any) -> str:
    """Two copies share the calls; then there is a third one, which nobody tells the client."""
    for name, options in (("CHANNEL_OPTIONS", channel_options), ("SERVER_OPTIONS", server_options)):
        _are_options(name, options)
    wants("linux")
    async with (
        copies(2, server_options) as office,
        grpc.aio.insecure_channel(office.target, channel_options) as channel,
    ):
        began = time.monotonic()
        await _until(channel, lambda: len(office.calls) == 2, CONNECTED, lambda: _one_has_all(office))
        await _shared(channel, office)
        new, added = await office.add(), time.monotonic()
        await _until(channel, lambda: office.calls[new] > 0, CALLED, lambda: _never_called(office))
        took = time.monotonic() - added
        await _shared(channel, office)
        _lasting(office, began)
    return f"two copies shared all calls; a third one had its first call after {took:.1f} s, and then its share"


def _are_options(name: str, options: Any) -> None:
    pairs = isinstance(options, list | tuple) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in options)
    if not pairs:
        raise Wrong(f'{name} is {options!r}: a list of pairs is wanted, such as ("grpc.some_option", 1)')
    for key, value in options:
        if not str(key).startswith("grpc."):
            raise Wrong(f'{name} has {key!r}: the names of options begin with "grpc."')
        if str(key).endswith("_ms") and (isinstance(value, bool) or not isinstance(value, int)):
            raise Wrong(f"{name} has {value!r} for {key}: a whole number of milliseconds is wanted")


async def _until(
    channel: grpc.aio.Channel, holds: Callable[[], bool], patience: float, told: Callable[[], Awaitable[str]]
) -> None:
    """Calls until it is so. What `told` tells is what is wrong when it never is."""
    gives_up = time.monotonic() + patience
    while not holds():
        if time.monotonic() > gives_up:
            raise Wrong(await told())
        await _ask(channel)
        await asyncio.sleep(PAUSE)


async def _ask(channel: grpc.aio.Channel) -> None:
    try:
        await ask(channel)
    except grpc.aio.AioRpcError as error:
        raise Wrong(f"a call ended with {error.code().name}: {error.details()}") from error


async def _shared(channel: grpc.aio.Channel, office: Copies) -> None:
    count = len(office.addresses)
    office.calls.clear()
    for _ in range(CALLS):
        await _ask(channel)
    least = min(office.calls[number + 1] for number in range(count))
    if least < CALLS / count / 2:
        raise Wrong(
            f"{CALLS} calls went to {count} copies as {_by_copy(office)}: each gets about as many with round_robin"
        )


async def _one_has_all(office: Copies) -> str:
    return (
        f"two copies run, the name has both addresses, and the calls went to {_by_copy(office)}. A channel chooses one "
        "address and stays there, unless it is told to take turns: the option stands with the client"
    )


async def _never_called(office: Copies) -> str:
    said = f"a third copy runs, the name has its address, and {CALLED:g} s later it has had no call. "
    if all(len(ends) == 1 for ends in office.connections.values()):
        return (
            f"{said}In all that time no connection ended, and a client asks for addresses again only when one does. "
            f"It is the server that must end them, 2 s old at most: {AGE}"
        )
    return (
        f"{said}Connections ended, but the client asks DNS every 30 s at most if nobody tells it otherwise "
        f"(questions until now: {office.names.asked}). {ASKED} does, at the client"
    )


def _lasting(office: Copies, began: float) -> None:
    ends = max(len(ends) for ends in office.connections.values())
    each = (time.monotonic() - began) / max(1, ends - 1)  # the last one has not ended yet
    if each < SHORTEST:
        raise Wrong(
            f"one copy has seen {ends} connections, {1000 * each:.0f} ms each: clients do nothing but connect. "
            f"{AGE} is in milliseconds"
        )


def _by_copy(office: Copies) -> str:
    counted = ", ".join(f"{number + 1}: {office.calls[number + 1]}" for number in range(len(office.addresses)))
    return f"{{{counted}}}"


TASK = Task(
    id="5.2",
    title="A new copy gets its calls",
    names=("CHANNEL_OPTIONS", "SERVER_OPTIONS"),
    hints=(
        (
            "Three things have to happen: calls take turns, a client asks for the addresses again, and it has a reason "
            "to. Which of them does the client decide, and which the server?"
        ),
        (
            "Client: the balancer by its name, as in lesson 2, and how often it may ask DNS. Server: how old a "
            "connection may become. Both times are in milliseconds, and the names end in _ms."
        ),
        (
            f'CHANNEL_OPTIONS: ("grpc.lb_policy_name", "round_robin") and ("{ASKED}", 500). SERVER_OPTIONS: '
            f'("{AGE}", 1000).'
        ),
    ),
    check=check,
    wrong=WRONG,
    seconds=60,
)
