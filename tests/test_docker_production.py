"""docker-compose.prod.yml on the root's file, for real: two of each, one open port, no file written, no secret seen."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.buyers import a_customer, an_email, at_the_gateway, ordered, put_on_sale, signed_in
from tests.containers import GATEWAY, KAFKA, POSTGRES, USERS, configured, image, served, stack_of
from tests.waiting import until
from workbook.admin import appointing
from workbook.compose import ComposeStack, metrics_ports, run
from workbook.needs import needs
from workbook.part import PartFailed
from workbook.phases import ROOT
from workbook.production import make_secrets

pytestmark = pytest.mark.timeout(600)  # the first build downloads packages

BOOKINGS = "booking-service"
FILES = ["docker-compose.yml", "docker-compose.prod.yml"]
CREATED = 'grpc_requests_total{code="OK",method="booking.BookingService/CreateBooking",side="server"}'
FIGURES = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:%d/metrics').read().decode())"
ALL_KNOW_OF_BOTH = 150  # seconds: who connected when one was there asks for addresses again after a minute, and a bit


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("production") / "secrets"
    make_secrets(folder)
    return folder


@pytest.fixture(scope="module")
def stack(secrets: Path) -> Iterator[ComposeStack]:
    """Both files as they are, but for where the secrets are: those of this folder are somebody's."""
    needs("docker")
    named = configured(*FILES)["secrets"]
    places = {
        name: {"file": str(secrets / Path(one["file"]).relative_to(ROOT / "secrets"))} for name, one in named.items()
    }
    own = secrets.parent / "compose.json"
    own.write_text(json.dumps({"secrets": places}))
    with stack_of(5, [*(ROOT / file for file in FILES), own]) as running:
        yield running


@pytest.fixture
def gateway(stack: ComposeStack) -> Iterator[httpx.Client]:
    with at_the_gateway(stack) as client:
        yield client


@pytest.fixture(scope="module")
def event_id(stack: ComposeStack) -> str:
    """Of an event that an admin has put on sale, whom the command of the README made."""
    email, password = an_email(), "a long password"
    stack.inside(USERS, *appointing(email, password))
    with at_the_gateway(stack) as gateway:
        return put_on_sale(gateway, signed_in(gateway, email, password))


def running(stack: ComposeStack, *services: str) -> list[Any]:
    """What Docker says of each container of these services, or of all that run."""
    found: list[Any] = json.loads(run(["docker", "inspect", *stack.compose("ps", "--quiet", *services).split()]))
    return found


def of(container: Mapping[str, Any], *command: str) -> str:
    """What a command prints that runs in this very container."""
    return run(["docker", "exec", str(container["Id"]), *command])


def created(stack: ComposeStack) -> list[float]:
    """How many bookings each copy of the booking service has made."""
    page = FIGURES % metrics_ports(stack.phase)[BOOKINGS]
    shown = [of(one, "python", "-c", page).splitlines() for one in running(stack, BOOKINGS)]
    return [float(next(line for line in lines if line.startswith(CREATED)).rpartition(" ")[2]) for lines in shown]


def test_a_booking_goes_through_the_one_port_that_is_open(
    stack: ComposeStack, gateway: httpx.Client, event_id: str
) -> None:
    made = ordered(gateway, event_id, a_customer(gateway))
    assert (made.status_code, made.json()["status"]) == (201, "CONFIRMED")
    places = [
        place for one in running(stack) for ports in one["NetworkSettings"]["Ports"].values() for place in ports or ()
    ]
    assert [f"{place['HostIp']}:{place['HostPort']}" for place in places] == [stack.address(GATEWAY)]
    assert stack.address(GATEWAY).startswith("127.0.0.1:")


def test_both_copies_take_calls(stack: ComposeStack, gateway: httpx.Client, event_id: str) -> None:
    ada = a_customer(gateway)
    before = created(stack)
    assert len(before) == 2

    def shared() -> bool:
        assert ordered(gateway, event_id, ada).status_code == 201
        return all(now > then for now, then in zip(created(stack), before, strict=True))

    until(shared, patience=ALL_KNOW_OF_BOTH)


def test_nothing_can_be_written_and_nobody_has_rights(stack: ComposeStack) -> None:
    for one in running(stack):
        assert one["HostConfig"]["ReadonlyRootfs"], one["Name"]
        assert one["HostConfig"]["CapDrop"] == ["ALL"], one["Name"]
        assert not one["HostConfig"]["CapAdd"], one["Name"]
    for one in running(stack, *served(stack), POSTGRES, KAFKA):
        status = dict(line.split(":\t", 1) for line in of(one, "cat", "/proc/1/status").splitlines())
        assert (int(status["CapBnd"], 16), status["NoNewPrivs"]) == (0, "1")
        assert "0" not in status["Uid"].split()
        with pytest.raises(PartFailed, match="Read-only file system"):
            of(one, "touch", "/usr/changed")


def test_secrets_are_in_files_and_no_environment(stack: ComposeStack, secrets: Path) -> None:
    password = (secrets / "db_password").read_text()
    for one in running(stack):
        assert password not in json.dumps(one)
        assert not any(value.endswith("PASSWORD=1234") for value in one["Config"]["Env"])
    for name in (BOOKINGS, POSTGRES):
        assert of(running(stack, name)[0], "cat", "/run/secrets/db_password") == password
    (gateway,) = running(stack, GATEWAY)
    assert of(gateway, "ls", "/keys").split() == ["api-gateway.json", "services.json"]
    with pytest.raises(PartFailed, match="No such file"):
        of(gateway, "cat", "/run/secrets/db_password")


def test_who_is_killed_comes_back_and_bookings_go_on(stack: ComposeStack, gateway: httpx.Client, event_id: str) -> None:
    ada = a_customer(gateway)
    for name in (BOOKINGS, POSTGRES, GATEWAY):
        killed_and_back(stack, running(stack, name)[0])
        assert ordered(gateway, event_id, ada).status_code == 201


def killed_and_back(stack: ComposeStack, container: Mapping[str, Any]) -> None:
    """As by a machine that lacks memory: what `docker kill` ends was meant to end, and is not started again."""
    shot = f"import os; os.kill({container['State']['Pid']}, 9)"
    everywhere = ["--pid=host", "--user=0", "--entrypoint=python", image(GATEWAY, stack.project)]
    run(["docker", "run", "--rm", *everywhere, "-c", shot])
    until(lambda: is_restarted(container), patience=180)


def is_restarted(container: Mapping[str, Any]) -> bool:
    (now,) = json.loads(run(["docker", "inspect", str(container["Id"])]))
    return bool(now["RestartCount"] == container["RestartCount"] + 1 and now["State"]["Health"]["Status"] == "healthy")
