"""Ports: free ones are free, different, and not among those that the kernel gives to clients."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from workbook.phases import ROOT
from workbook.ports import free_port, is_free

KERNELS_CHOICE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_a_free_port_can_be_listened_on() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass


def test_asked_again_it_is_another_one() -> None:
    assert len({free_port() for _ in range(500)}) == 500


def test_a_port_is_taken_while_somebody_listens_and_free_after() -> None:
    port = free_port()
    assert is_free(port)
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
    assert is_free(port)


def test_connections_that_ended_do_not_make_a_port_taken() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as line:
            server.accept()[0].close()  # the server's side hangs up first and stays in TIME_WAIT
            assert line.recv(1) == b""
    assert is_free(port)


def test_a_client_never_gets_a_parts_port() -> None:
    """While a part is down its clients try to reach it: from the kernel's range, one may meet itself there and stay."""
    if not KERNELS_CHOICE.exists() or (kernels := KERNELS_CHOICE.read_text().split()) != ["32768", "60999"]:
        pytest.skip("needs Linux with its usual range of ports for clients")
    first, last = map(int, kernels)
    assert all(not first <= free_port() <= last for _ in range(100))


def test_two_programs_never_choose_the_same_port() -> None:
    """Of 500 each among 10,000, some 25 would be the same without claims."""
    program = "from workbook.ports import free_port; print(*(free_port() for _ in range(500)), flush=True); input()"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = set(map(int, other.stdout.readline().split()))
        assert theirs.isdisjoint(free_port() for _ in range(500))
        other.communicate("\n")
    assert len(theirs) == 500


SLOWLY = """
import os, threading, time
from workbook import ports

opened, really = [], os.open

def slowly(*arguments):
    opened.append(arguments)
    time.sleep(0.1)
    return really(*arguments)

ports.os.open = slowly
asking = [threading.Thread(target=ports.free_port) for _ in range(8)]
for each in asking: each.start()
for each in asking: each.join()
print(len(opened))
"""


def test_threads_that_ask_first_open_the_claims_once() -> None:
    """Closing a second one would give up every claim of the process."""
    ran = subprocess.run([sys.executable, "-c", SLOWLY], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1"]
