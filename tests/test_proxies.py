"""A shell with a proxy in it: what is on this machine is called straight, what is elsewhere is none of our business."""

import os
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from workbook.ports import free_port
from workbook.proxies import spare_this_machine

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
SPARED = ("no_proxy", "NO_PROXY", "no_grpc_proxy")


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell whose proxy is away, and nobody is spared."""
    for name in SPARED:
        monkeypatch.setenv(name, "")  # so that what the test sets is undone, too
        monkeypatch.delenv(name)
    for name in PROXIES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")


@pytest.mark.parametrize(
    ("before", "no_proxy", "no_grpc_proxy"),
    [
        ({}, "127.0.0.1,localhost", "127.0.0.1,localhost"),
        ({"no_proxy": "a.example, b.example"}, "a.example,b.example,127.0.0.1,localhost", None),
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1,localhost", None),
        ({"no_proxy": "a.example", "no_grpc_proxy": "g.example"}, None, "g.example,127.0.0.1,localhost"),
        ({"no_proxy": "localhost,127.0.0.1"}, "localhost,127.0.0.1", "localhost,127.0.0.1"),
        ({"no_proxy": "*"}, "*", "*,127.0.0.1,localhost"),
    ],
    ids=str,
)
def test_this_machine_is_added_once_to_what_the_shell_spares(
    before: dict[str, str], no_proxy: str | None, no_grpc_proxy: str | None
) -> None:
    for _ in range(2):
        spare_this_machine(before)
    assert no_proxy in {None, before["no_proxy"]}
    assert no_grpc_proxy in {None, before["no_grpc_proxy"]}


@pytest.mark.usefixtures("behind_a_proxy")
def test_grpc_and_http_reach_this_machine_past_a_proxy() -> None:
    assert not grpc_reaches_this_machine()  # the negative control
    assert urllib.request.proxy_bypass("127.0.0.1") is False
    spare_this_machine(os.environ)
    assert grpc_reaches_this_machine()
    assert urllib.request.proxy_bypass("127.0.0.1")
    assert not urllib.request.proxy_bypass("tickets.example")


def grpc_reaches_this_machine() -> bool:
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as refusal:
            channel.unary_unary("/no.Such/Method")(b"", timeout=20)
    finally:
        server.stop(None)
    return refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.usefixtures("behind_a_proxy")
def test_whoever_imports_the_workbook_is_spared() -> None:
    told = "import workbook, os; print(os.environ['no_proxy'], os.environ['no_grpc_proxy'])"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["127.0.0.1,localhost"] * 2
