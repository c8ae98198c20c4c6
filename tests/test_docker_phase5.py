"""The whole system in containers, for real: the root's file. Everybody is asked who they are; there is a gateway.

Grafana is not among them: its image is brought by no test, and what its files say is tested without it.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub

from tests.buyers import a_customer, at_the_gateway, ordered
from tests.containers import GATEWAY, USERS, EveryStack, configured, learn, stack_of
from tests.containers_phase2 import BOOKINGS, METRICS, PENDING_LIMIT, TwoServices, an_event, books, broken, calling
from tests.containers_phase3 import CONFIRMED
from tests.containers_phase4 import Seen, ToldAndWatched
from tests.signals import problems
from tests.systems import InContainers
from tests.told_at_the_gateway import ASKED_FOR_KEYS, told_of_an_order, whole_table
from tests.told_so_far import QUICK, everything_told
from tests.waiting import until
from workbook.call import told
from workbook.compose import ComposeStack
from workbook.counted import figures
from workbook.needs import needs
from workbook.part import PartFailed
from workbook.phases import ROOT, newest_composed_phase, phase_folders

pytestmark = pytest.mark.timeout(1200)  # the first build downloads packages; the checklists of all phases take minutes

KEYS_GIVEN = 'grpc_requests_total{code="OK",method="user.UserService/GetKeys",side="server"}'
BOOKED = 'http_requests_total{method="POST",route="/v1/bookings",status="201"}'


@pytest.fixture(scope="module")
def stack() -> Iterator[ComposeStack]:
    with stack_of(5, [ROOT / "docker-compose.yml"], PENDING_LIMIT=PENDING_LIMIT, **QUICK) as running:
        yield running


@pytest.fixture
def gateway(stack: ComposeStack) -> Iterator[httpx.Client]:
    with at_the_gateway(stack) as client:
        yield client


def test_every_signal_of_the_table_comes_and_no_other(stack: ComposeStack) -> None:
    """As on this machine (test_signals.py), where its controls stand; the spans are those that Jaeger answers."""
    assert problems(everything_told(InContainers(stack))) == []


def test_the_gateway_and_the_user_service_tell_what_the_table_says(stack: ComposeStack) -> None:
    found = told_of_an_order(stack)
    assert problems(found, whole_table()) == []
    found.metrics[GATEWAY].remove("http_requests")
    assert problems(found, whole_table()) == [f"metrics of {GATEWAY}: http_requests is missing"]  # the control
    assert figures(stack, USERS)[KEYS_GIVEN] >= len(ASKED_FOR_KEYS)


class TestContainers(EveryStack):
    """What holds for every phase, for this one."""


class TestTwoServices(TwoServices):
    """What held in phase 2 holds while all of it is told, and everybody is asked who they are."""


class TestToldToKafka(ToldAndWatched):
    """What held in phase 3, and who sees it."""


class TestSeen(Seen):
    """What held in phase 4."""


def test_a_booking_through_the_gateway_is_confirmed_traced_and_counted(
    stack: ComposeStack, gateway: httpx.Client
) -> None:
    with calling(stack) as (_, events):
        event_id = an_event(events)
    until(lambda: not broken(stack))
    booked, counted, ada = figures(stack, GATEWAY)[BOOKED], figures(stack, METRICS)[CONFIRMED], a_customer(gateway)
    made = ordered(gateway, event_id, ada)
    assert (made.status_code, made.json()["status"]) == (201, "CONFIRMED")
    until(lambda: figures(stack, METRICS)[CONFIRMED] == counted + 1)
    assert figures(stack, GATEWAY)[BOOKED] == booked + 1

    def story() -> Any:
        return gateway.get(f"{made.headers['location']}/story", headers=ada).json()

    until(lambda: story()["counted"])
    assert story()["message"]["sent"]
    assert (story()["steps"][0]["name"], story()["steps"][0]["answer"]) == ("gateway", "201")


def test_who_does_not_say_who_they_are_gets_nowhere(stack: ComposeStack, gateway: httpx.Client) -> None:
    """The control of all that is called above, with a token."""
    assert books(stack)
    with grpc.insecure_channel(stack.address(BOOKINGS)) as channel, pytest.raises(grpc.RpcError) as refused:
        BookingServiceStub(channel).CreateBooking(pb.CreateBookingRequest(user_id="ada", event_id="e", ticket_count=1))
    assert "UNAUTHENTICATED" in told(refused.value)
    assert ordered(gateway, str(uuid.uuid4()), {}).status_code == 401


def test_the_sample_is_put_on_sale_once(stack: ComposeStack) -> None:
    assert "12 events put on sale, 0 were there" in learn(stack, "sample", "--target", "compose")
    assert "0 events put on sale, 12 were there" in learn(stack, "sample", "--target", "compose")


def test_a_backup_brings_back_what_was_there(stack: ComposeStack, gateway: httpx.Client, tmp_path: Path) -> None:
    with calling(stack) as (_, events):
        event_id = an_event(events)
    ada, file = a_customer(gateway), str(tmp_path / "tickets.tar")
    kept = ordered(gateway, event_id, ada)
    learn(stack, "backup", file, "--target", "compose")
    gone = ordered(gateway, event_id, ada)
    with pytest.raises(PartFailed, match="--yes"):
        learn(stack, "restore", file, "--target", "compose")
    assert gateway.get(gone.headers["location"], headers=ada).status_code == 200
    learn(stack, "restore", file, "--target", "compose", "--yes")
    until(lambda: gateway.get(gone.headers["location"], headers=ada).status_code == 404)
    assert gateway.get(kept.headers["location"], headers=ada).json() == kept.json()
    until(lambda: not broken(stack))
    until(lambda: ordered(gateway, event_id, ada).status_code == 201)


def test_the_root_file_is_the_newest_composed_phase() -> None:
    needs("docker")
    whole, own = configured("docker-compose.yml"), configured(phase_folders()[newest_composed_phase()] / "compose.yaml")
    assert whole["services"] == own["services"]
    assert whole["name"] != own["name"]
