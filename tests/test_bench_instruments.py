"""The benchmark's instruments: the load generator, and the reading of CPU times."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from bench.contender import Calls, ContenderFailed
from bench.cpu import cpu_seconds
from bench.echo import METHOD, echo
from bench.load import Call, over_grpc, run

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux has /proc")


# The load generator


@pytest.fixture
async def echo_address() -> AsyncIterator[str]:
    server = grpc.aio.server()
    _, service, method = METHOD.split("/")
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {method: grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_the_generator_keeps_so_many_calls_in_flight_and_counts_each(echo_address: str) -> None:
    under_way, most, answered = 0, 0, 0

    @over_grpc
    async def load(_channel: grpc.aio.Channel) -> Call:
        async def call() -> None:
            nonlocal under_way, most, answered
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1
            answered += 1

        return call

    measured = await run(load, echo_address, 0.1, 7)
    assert most == 7
    assert measured.calls == answered == len(measured.latencies) > 7
    assert min(measured.latencies) >= 0.009
    assert measured.seconds >= 0.1
    assert sum(measured.latencies) <= 7 * measured.seconds


async def test_a_call_that_fails_ends_the_run_and_is_told(echo_address: str) -> None:
    wrong = Calls("create", "bench.phase1:create", echo_address)
    with pytest.raises(ContenderFailed, match=r"create: (?s:.*)UNIMPLEMENTED"):
        await asyncio.to_thread(wrong.run, 0.1, 2)


# CPU

BURN = """
import subprocess, sys, time
busy = "import time\\nwhile time.process_time() < 0.3: pass"
subprocess.run([sys.executable, "-c", busy])
while time.process_time() < 0.3: pass
print("burnt", flush=True)
sys.stdin.read()
"""


@needs_proc
def test_the_cpu_of_a_process_and_of_its_children_is_counted() -> None:
    idle = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    busy = subprocess.Popen([sys.executable, "-c", BURN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with idle, busy:
        assert busy.stdout is not None
        busy.stdout.readline()
        used = cpu_seconds({"idle": idle.pid, "busy": busy.pid, "gone": 2**30})
        for process in (idle, busy):
            process.kill()
    assert used.keys() == {"idle", "busy"}
    assert 0.5 <= used["busy"] < 5
    assert used["idle"] < 0.3
