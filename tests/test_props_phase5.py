"""What lesson 5 breaks and watches pods with: a kubelet, and limits of memory and CPU."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chassis.probe import health

from tests.waiting import until
from workbook.lesson.task import Wrong
from workbook.needs import needs
from workbook.part import Part, Program
from workbook.ports import free_port
from workbook.props.cpu_limit import CpuLimit, cpu_seconds
from workbook.props.kubelet import Kubelet
from workbook.props.memory_limit import MemoryLimit, own_memory
from workbook.props.probes import LIVENESS, READINESS, STARTUP, Container, Probe, pause_before, probes_of
from workbook.tasks.phase5.written_probes import written_probes

# Its process is well, and "shop" can work while the file that it is told of is there.
SHOP = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
class Shop(health_pb2_grpc.HealthServicer):
    def Check(self, request, context):
        well = request.service == "" or Path(sys.argv[2]).exists()
        return health_pb2.HealthCheckResponse(status=1 if well else 2)
server = grpc.server(ThreadPoolExecutor(4))
health_pb2_grpc.add_HealthServicer_to_server(Shop(), server)
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
"""


def probe(service: str = "", **fields: int) -> dict[str, Any]:
    return {"grpc": {"port": 50051, "service": service}, "periodSeconds": 1, "timeoutSeconds": 5, **fields}


START = {STARTUP: {"tcpSocket": {"port": 50051}, "periodSeconds": 1, "failureThreshold": 10_000}}


def test_what_a_manifest_does_not_say_kubernetes_does() -> None:
    assert Probe.read({"grpc": {"port": 1}}) == Probe(1, "", delay=0, period=10, timeout=1, failures=3, successes=1)


def test_a_probe_of_an_open_port_asks_nobody() -> None:
    assert Probe.read({"tcpSocket": {"port": 1}}).service is None


def test_until_it_has_started_nothing_else_is_asked() -> None:
    container = Container(probes_of({kind: probe() for kind in (STARTUP, LIVENESS, READINESS)}), began=0)
    assert _due(container, 0) == [STARTUP]
    container.heard(STARTUP, 0, good=True)
    assert (_due(container, 0), container.ready) == ([LIVENESS, READINESS], False)
    container.heard(READINESS, 0, good=True)
    assert (_due(container, 0), container.ready) == ([LIVENESS], True)


def test_it_is_asked_once_a_period_and_not_before_its_delay() -> None:
    container = Container(probes_of({LIVENESS: probe(initialDelaySeconds=5, periodSeconds=10)}), began=100)
    assert [_due(container, now) for now in (104, 105)] == [[], [LIVENESS]]
    container.heard(LIVENESS, 105, good=True)
    assert [_due(container, now) for now in (114, 115)] == [[], [LIVENESS]]


@pytest.mark.parametrize(
    ("kind", "answers", "again"),
    [(LIVENESS, "xx.xx.xxx", 9), (STARTUP, "xxx", 3), (READINESS, "xxxxxx", None), (LIVENESS, "xx.xx.", None)],
)
def test_only_failures_in_a_row_start_a_process_again(kind: str, answers: str, again: int | None) -> None:
    container = Container(probes_of({kind: probe()}), began=0)
    heard = [container.heard(kind, now, good=answer == ".") for now, answer in enumerate(answers)]
    assert [number for number, must in enumerate(heard, start=1) if must] == ([again] if again else [])


def test_readiness_takes_calls_away_and_gives_them_back() -> None:
    container = Container(probes_of({READINESS: probe(failureThreshold=2, successThreshold=2)}), began=0)
    told = []
    for now, answer in enumerate("..xx.x.."):
        container.heard(READINESS, now, good=answer == ".")
        told.append(container.ready)
    assert told == [False, True, True, False, False, False, False, True]


def test_a_kubelet_waits_longer_before_each_restart() -> None:
    assert [pause_before(number) for number in (1, 2, 3, 4, 9)] == [0, 10, 20, 40, 300]


def test_a_kubelet_starts_a_process_again_that_is_said_to_be_dead(tmp_path: Path) -> None:
    with _shop(tmp_path) as (part, can_work), Kubelet(part, {**START, LIVENESS: probe("shop")}, quicker=20) as kubelet:
        until(lambda: kubelet.addresses)
        can_work.unlink()
        until(lambda: kubelet.restarts >= 2)
        can_work.touch()
        until(lambda: health(part.address) == "SERVING")


def test_a_kubelet_leaves_a_process_alone_that_only_cannot_work(tmp_path: Path) -> None:
    """The control of the test before: the same, and what liveness asks does not depend on others."""
    container = {LIVENESS: probe(), READINESS: probe("shop")}
    with _shop(tmp_path) as (part, can_work), Kubelet(part, container, quicker=20) as kubelet:
        until(lambda: kubelet.addresses == [part.address])
        can_work.unlink()
        until(lambda: not kubelet.addresses)
        can_work.touch()
        until(lambda: kubelet.addresses)
        assert kubelet.restarts == 0


def test_a_kubelet_starts_a_process_again_that_hangs(tmp_path: Path) -> None:
    with (
        _shop(tmp_path) as (part, _),
        Kubelet(part, {**START, LIVENESS: probe(timeoutSeconds=1)}, quicker=20) as kubelet,
    ):
        part.pause()
        until(lambda: kubelet.restarts and health(part.address) == "SERVING")


def test_who_takes_more_memory_than_the_limit_is_killed() -> None:
    with _running("kept = bytearray(200_000_000); input()") as process, MemoryLimit(process.pid, 50_000_000) as limit:
        assert process.wait(30) == -signal.SIGKILL
    assert limit.killed_at is not None
    assert limit.killed_at > 50_000_000


def test_who_keeps_to_the_limit_lives() -> None:
    """The control of the test before."""
    with _running("print(flush=True); input()") as process, MemoryLimit(process.pid, 500_000_000) as limit:
        assert process.stdout is not None
        process.stdout.readline()
        assert 1_000_000 < own_memory(process.pid) < 500_000_000
    assert limit.killed_at is None


def test_a_process_gets_no_more_cpu_than_its_limit() -> None:
    needs("linux")
    with _running("while True: pass") as process:
        until(lambda: cpu_seconds(process.pid) > 0.1)
        with CpuLimit(process.pid, 0.1) as limit:
            until(lambda: limit.periods > 20)
        assert limit.held_back > 0
        assert limit.used < 0.8  # it is held back a moment late; left alone it would use all of one
        held = cpu_seconds(process.pid)
        until(lambda: cpu_seconds(process.pid) > held)  # and goes on after it


def test_who_waits_is_not_held_back() -> None:
    """The control of the test before."""
    needs("linux")
    with _running("print(flush=True); input()") as process:
        assert process.stdout is not None
        process.stdout.readline()
        with CpuLimit(process.pid, 0.1) as limit:
            until(lambda: limit.periods > 5)
    assert limit.held_back == 0


def _due(container: Container, now: float) -> list[str]:
    return [kind for kind, _ in container.due(now)]


@contextmanager
def _shop(folder: Path) -> Iterator[tuple[Part, Path]]:
    port, can_work = free_port(), folder / "can_work"
    can_work.touch()
    argv = [sys.executable, "-c", SHOP, str(port), str(can_work)]
    address = f"127.0.0.1:{port}"
    part = Part("shop", address, Program(argv, lambda: health(address) == "SERVING"), folder / "shop.log")
    part.start()
    try:
        yield part, can_work
    finally:
        part.kill()


@contextmanager
def _running(program: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_initial_delay_may_be_none_and_other_numbers_may_not() -> None:
    written = "livenessProbe: {{grpc: {{port: 50051}}, initialDelaySeconds: {}, periodSeconds: {}}}\n"
    assert written_probes(written.format(0, 1))[LIVENESS].delay == 0
    for delay, period in ((-1, 1), (0, 0)):
        with pytest.raises(Wrong, match="is wanted"):
            written_probes(written.format(delay, period))
