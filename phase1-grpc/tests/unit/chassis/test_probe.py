"""The probe that Docker and Kubernetes ask: its exit status is the server's health, nothing else is."""

import asyncio
import socket
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.error import URLError
from urllib.request import urlopen

import grpc
import pytest
from chassis.probe import health, main
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer

STATUSES = health_pb2.HealthCheckResponse


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A server that is up, with one service that is ready and one that is not."""
    server = grpc.aio.server()
    servicer = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    await servicer.set("shop.Open", STATUSES.SERVING)
    await servicer.set("shop.Shut", STATUSES.NOT_SERVING)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.parametrize(
    ("service", "said", "status"),
    [("", "SERVING", 0), ("shop.Open", "SERVING", 0), ("shop.Shut", "NOT_SERVING", 1), ("shop.None", "NOT_FOUND", 1)],
)
async def test_the_exit_status_is_the_health(
    address: str, service: str, said: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, [address, service]) == status
    assert capsys.readouterr().out == f"{address} {service or 'process'}: {said}\n"


def test_nobody_there_is_not_healthy(unused_tcp_port: int) -> None:
    assert health(f"127.0.0.1:{unused_tcp_port}") == "UNAVAILABLE"


def test_a_server_that_does_not_answer_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert health(f"127.0.0.1:{port}", timeout=0.2) in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}


async def test_by_default_it_asks_its_own_container(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_PORT", address.split(":")[1])
    assert await asyncio.to_thread(main, []) == 0


class _Answers(BaseHTTPRequestHandler):
    """200 at /ready, 503 at /waits, and what is no HTTP at /odd."""

    def do_GET(self) -> None:
        if self.path == "/odd":
            self.wfile.write(b"220 hello\r\n")
            return
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(("path", "said"), [("ready", "SERVING"), ("waits", "NOT_SERVING"), ("odd", "UNAVAILABLE")])
def test_a_server_may_be_asked_over_http(path: str, said: str) -> None:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server, ThreadPoolExecutor() as beside:
        beside.submit(server.handle_request)
        assert health(f"http://127.0.0.1:{server.server_port}/{path}", timeout=5) == said


def test_nobody_there_is_not_healthy_over_http_either(unused_tcp_port: int) -> None:
    assert health(f"http://127.0.0.1:{unused_tcp_port}/ready") == "UNAVAILABLE"


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    """A shell that names a proxy which is away, for everything."""
    for name in ("no_proxy", "NO_PROXY", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_tcp_port}")


@pytest.mark.usefixtures("behind_a_proxy")
async def test_a_proxy_is_not_asked(address: str) -> None:
    assert await asyncio.to_thread(health, address, timeout=20) == "SERVING"
    async with grpc.aio.insecure_channel(address) as channel:  # the negative control
        with pytest.raises(grpc.aio.AioRpcError):
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)


@pytest.mark.usefixtures("behind_a_proxy")
def test_a_proxy_is_not_asked_over_http_either() -> None:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server, ThreadPoolExecutor() as beside:
        beside.submit(server.handle_request)
        url = f"http://127.0.0.1:{server.server_port}/ready"
        with pytest.raises(URLError):  # the negative control
            urlopen(url, timeout=5)
        said = health(url, timeout=20)
        socket.create_connection(server.server_address[:2]).close()  # it waits no more, also when nobody came
    assert said == "SERVING"
