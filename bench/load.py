"""The load generator, in a process of its own: `python -m bench.load LOAD ADDRESS SECONDS IN_FLIGHT`.

LOAD names a `Load`, such as `bench.phase1:create`: it opens what it needs at the address, and gives a function which
makes one call. The outcome is printed as one line of JSON: the fields of `bench.figures.Round`.
"""

import asyncio
import json
import pkgutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict

import grpc

from bench.figures import Round

Call = Callable[[], Awaitable[object]]
Load = Callable[[str], AbstractAsyncContextManager[Call]]


def over_grpc(load: Callable[[grpc.aio.Channel], Awaitable[Call]]) -> Load:
    """A load of calls over one channel to a gRPC server."""

    @asynccontextmanager
    async def opened(address: str) -> AsyncIterator[Call]:
        async with grpc.aio.insecure_channel(address) as channel:
            await channel.channel_ready()
            yield await load(channel)

    return opened


async def run(load: Load, address: str, seconds: float, in_flight: int) -> Round:
    """Keeps `in_flight` calls under way for `seconds`. A call that fails ends the run: its rate would mean nothing."""
    async with load(address) as call:
        latencies: list[float] = []
        started, cpu = time.perf_counter(), time.process_time()
        callers = [_call_until(started + seconds, call, latencies) for _ in range(in_flight)]
        await asyncio.gather(*callers)
        elapsed, used = time.perf_counter() - started, time.process_time() - cpu
    return Round(len(latencies), elapsed, latencies, used)


async def _call_until(end: float, call: Call, latencies: list[float]) -> None:
    clock = time.perf_counter
    now = clock()
    while now < end:
        begun = now
        await call()
        now = clock()
        latencies.append(now - begun)


if __name__ == "__main__":
    name, address, seconds, in_flight = sys.argv[1:]
    outcome = asyncio.run(run(pkgutil.resolve_name(name), address, float(seconds), int(in_flight)))
    print(json.dumps(asdict(outcome)))
