"""What lesson 5 scales with: copies behind one name or one address, and the autoscaler's loop."""

import socket

import grpc
import pytest

from tests.waiting import until_async
from workbook.needs import needs
from workbook.props.autoscaler import bookings_scaler, scaled, within_speed
from workbook.props.cluster_ip import cluster_ip
from workbook.props.copies import Copies, Options, ask, copies
from workbook.props.name_service import NameService

TURNS = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.use_local_subchannel_pool", 1),  # else gRPC gives the connection of one channel to the next
]


def test_a_name_has_the_addresses_of_this_moment() -> None:
    with NameService() as names:
        assert _resolved(names) == []
        names.addresses += ["127.0.0.1", "127.0.0.2"]
        assert _resolved(names) == ["127.0.0.1", "127.0.0.2"]
        assert names.asked == 2


async def test_all_calls_of_a_connection_go_to_one_pod_behind_a_cluster_ip() -> None:
    needs("linux")
    async with copies(2) as office, cluster_ip(lambda: office.addresses) as address:
        assert [await _counted(address, TURNS, office, 20) for _ in range(2)] == [{1: 20}, {2: 20}]


async def test_the_same_calls_take_turns_behind_a_name() -> None:
    """The control of the test before."""
    needs("linux")
    async with copies(2) as office, grpc.aio.insecure_channel(office.target, TURNS) as channel:
        await until_async(lambda: _all_called(channel, office))
        office.calls.clear()
        for _ in range(20):
            await ask(channel)
        assert office.calls == {1: 10, 2: 10}


async def test_connections_are_counted_by_copy() -> None:
    needs("linux")
    async with copies(1) as office:
        for _ in range(3):
            await _counted(office.addresses[0], TURNS, office, 2)
        assert len(office.connections[1]) == 3


def test_the_autoscaler_of_bookings_is_that_of_the_manifests() -> None:
    scaler = bookings_scaler()
    assert (scaler.least, scaler.most, scaler.target, scaler.window) == (2, 6, 70, 300)
    assert [len(policies) for policies in (scaler.up, scaler.down)] == [2, 1]


@pytest.mark.parametrize(
    ("wanted", "pods", "reached"),
    [
        (9, [2], 4),
        (9, [1], 3),  # twice as many, or two more, whichever is more
        (3, [2], 3),
        (9, [2, *[4] * 20], 4),  # two of them came less than 30 s ago
        (9, [2, *[4] * 31], 8),
        (2, [6], 5),
        (2, [6, *[5] * 30], 5),
        (2, [6, *[5] * 61], 4),
        (5, [5], 5),
    ],
)
def test_pods_come_and_go_no_quicker_than_the_policies_let_them(wanted: int, pods: list[int], reached: int) -> None:
    assert within_speed(wanted, pods, bookings_scaler()) == reached


def test_a_pod_works_a_while_after_it_was_asked_for() -> None:
    history = scaled([900.0] * 60, bookings_scaler(), lambda *_: 4, lambda _, wishes, *__: wishes[-1], start=30)
    assert history.pods == [4] * 60
    assert history.ready == [2] * 30 + [4] * 30
    assert (history.overloaded, history.taken_away) == (30, 0)


def test_each_pod_that_goes_is_counted() -> None:
    wishes = iter([4, 4, 3, *[2] * 30])
    history = scaled([0.0] * 300, bookings_scaler(), lambda *_: next(wishes), lambda _, all_, *__: all_[-1])
    assert (history.taken_away, history.pods[-1], history.overloaded) == (2, 2, 0)


def _resolved(names: NameService) -> list[str]:
    """The addresses in an answer to a question that was written by hand, as RFC 1035 has it."""
    question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04shop\x00\x00\x01\x00\x01"
    host, _, port = names.target("shop", 1).removeprefix("dns://").partition("/")[0].partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        client.sendto(question, (host, int(port)))
        answer = client.recv(512)
    assert answer[:2] == question[:2]
    assert answer[12 : len(question)] == question[12:]
    records = [answer[at : at + 16] for at in range(len(question), len(answer), 16)]
    assert len(records) == int.from_bytes(answer[6:8])
    return [socket.inet_ntoa(record[12:]) for record in records]


async def _counted(address: str, options: Options, office: Copies, calls: int) -> dict[int, int]:
    office.calls.clear()
    async with grpc.aio.insecure_channel(address, options) as channel:
        for _ in range(calls):
            await ask(channel)
    return dict(office.calls)


async def _all_called(channel: grpc.aio.Channel, office: Copies) -> bool:
    await ask(channel)
    return len(office.calls) == len(office.addresses)
