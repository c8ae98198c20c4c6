"""The local stack: the whole of phase 1 as processes, broken and mended by name, with nothing left behind."""

import os
import signal
import socket
import threading
from collections.abc import Iterator

import grpc
import psycopg
import pytest
from booking_service.config import BookingSettings
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.probe import health

from tests.waiting import until
from workbook import ports
from workbook.guard import family, living
from workbook.part import PartFailed, State
from workbook.ports import PortsTaken, free_port, is_free
from workbook.postgres import connect
from workbook.stack import LocalStack

BOOKING = "booking-service"
SERVICE = "booking.BookingService"


@pytest.fixture(scope="module")
def running() -> Iterator[LocalStack]:
    """Started from a shell that holds settings for something else."""
    with pytest.MonkeyPatch.context() as shell:
        shell.setenv("DB_HOST", "db.example")
        shell.setenv("DB_PORT", "no number")
        shell.setenv("DB_NAME", "of_something_else")
        for name in ("http_proxy", "https_proxy"):
            shell.setenv(name, f"http://127.0.0.1:{free_port()}")  # nobody is there
        with LocalStack(1) as stack:
            yield stack


@pytest.fixture
def stack(running: LocalStack) -> Iterator[LocalStack]:
    """The stack, whole before and after each test."""
    yield running
    for part in running.parts.values():
        part.resume()
        part.start()
    until(lambda: health(running[BOOKING].address, SERVICE) == "SERVING")


def book(stack: LocalStack, user_id: str = "ada", timeout: float = 30) -> pb.Booking:
    wish = pb.CreateBookingRequest(user_id=user_id, event_id="concert", ticket_count=2)
    with grpc.insecure_channel(stack[BOOKING].address) as channel:
        return BookingServiceStub(channel).CreateBooking(wish, timeout=timeout, wait_for_ready=True).booking


def answers(stack: LocalStack, user: str) -> bool:
    """Whether a call gets through: the first one after an outage may still meet a connection that died in it."""
    try:
        listed(stack, user)
    except grpc.RpcError:
        return False
    return True


def listed(stack: LocalStack, user_id: str) -> list[pb.Booking]:
    with grpc.insecure_channel(stack[BOOKING].address) as channel:
        request = pb.ListUserBookingsRequest(user_id=user_id)
        return list(BookingServiceStub(channel).ListUserBookings(request, timeout=30, wait_for_ready=True).bookings)


def port_of(stack: LocalStack, name: str) -> int:
    return int(stack[name].address.split(":")[1])


def test_it_has_the_parts_of_its_phase_in_starting_order(stack: LocalStack) -> None:
    assert [(name, part.state) for name, part in stack.parts.items()] == [
        ("postgres", State.RUNNING),
        (BOOKING, State.RUNNING),
    ]


def test_a_name_it_does_not_know_gets_those_it_does(stack: LocalStack) -> None:
    with pytest.raises(KeyError, match=f"no part 'kafka'; there are postgres, {BOOKING}"):
        stack["kafka"]


def test_its_service_works(stack: LocalStack) -> None:
    assert book(stack).status == "CONFIRMED"


def test_each_part_has_a_log(stack: LocalStack) -> None:
    assert "listening" in stack[BOOKING].log.read_text()
    assert stack["postgres"].log == stack.folder / "postgres.log"


def test_it_tells_the_settings_that_a_service_runs_with(stack: LocalStack) -> None:
    settings = stack.settings_of(BOOKING)
    assert isinstance(settings, BookingSettings)
    assert (settings.db_name, settings.grpc_port) == ("booking_db", port_of(stack, BOOKING))
    with connect(f"{settings.db_host}:{settings.db_port}", settings.db_name) as connection:
        assert connection.execute("SELECT FROM bookings").rowcount >= 0


def test_each_service_has_a_database_of_its_own_whatever_the_shell_says(stack: LocalStack) -> None:
    book(stack, "own-database")
    with connect(stack["postgres"].address, "booking_db") as connection:
        assert connection.execute("SELECT FROM bookings WHERE user_id = 'own-database'").rowcount == 1
        assert connection.execute("SELECT FROM pg_database WHERE datname = 'of_something_else'").rowcount == 0


def test_a_service_is_told_the_database_of_its_own_phase_or_the_one_that_is_asked_for() -> None:
    whole = LocalStack(5, kafka="embedded")
    names = {name: whole.environment_of(name).get("DB_NAME") for name in whole._services}
    assert names == {
        "booking-service": "booking_db",
        "event-service": "event_db",
        "user-service": "user_db",
        "metrics-consumer": "metrics_db",
        "api-gateway": None,
    }
    asked = LocalStack(1, environment={"DB_NAME": "asked_for"})
    assert asked.environment_of(BOOKING)["DB_NAME"] == "asked_for"


def test_it_migrates_down_and_up(stack: LocalStack) -> None:
    def has_table() -> bool:
        with connect(stack["postgres"].address, "booking_db") as connection:
            return connection.execute("SELECT FROM pg_tables WHERE tablename = 'bookings'").rowcount == 1

    stack.migrate(BOOKING, "base")
    assert not has_table()
    stack.migrate(BOOKING)
    assert has_table()


def test_a_migration_that_fails_says_why(stack: LocalStack) -> None:
    with pytest.raises(PartFailed, match=r"(?s)^migrating booking-service failed:.*no_such_revision"):
        stack.migrate(BOOKING, "no_such_revision")


def test_a_killed_service_comes_back_with_its_bookings(stack: LocalStack) -> None:
    made = book(stack, "killed")
    stack[BOOKING].kill()
    assert is_free(port_of(stack, BOOKING))
    stack[BOOKING].start()
    assert listed(stack, "killed") == [made]


def test_a_paused_service_answers_when_it_is_resumed(stack: LocalStack) -> None:
    stack[BOOKING].pause()
    with pytest.raises(grpc.RpcError) as late:
        book(stack, timeout=0.3)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    stack[BOOKING].resume()
    assert book(stack).status == "CONFIRMED"


def test_a_stopped_service_ends_in_order(stack: LocalStack) -> None:
    stack[BOOKING].stop()
    assert "stopped" in stack[BOOKING].log_tail(1)


def test_postgres_killed_at_work_starts_again_at_once_with_every_booking(stack: LocalStack) -> None:
    """Its processes hold shared memory: while one of them lives, PostgreSQL does not start on the same data."""
    made = book(stack, "busy")
    for _ in range(3):
        busy = [threading.Thread(target=work, args=(stack["postgres"].address,)) for _ in range(2)]
        for thread in busy:
            thread.start()
        until(lambda: at_work(stack["postgres"].address) == 2)
        stack["postgres"].kill()
        stack["postgres"].start()
        for thread in busy:
            thread.join()
    until(lambda: answers(stack, "busy"))  # its health, asked once a second, may be that of before the last kill
    assert listed(stack, "busy") == [made]


def test_of_a_postgres_killed_alone_the_rest_lives_on_and_is_in_the_way(stack: LocalStack) -> None:
    """The test above can fail."""
    postgres = stack["postgres"]
    busy = threading.Thread(target=work, args=(postgres.address,))
    busy.start()
    until(lambda: at_work(postgres.address) == 1)
    left = family(postgres.pid) - {postgres.pid}
    os.kill(postgres.pid, signal.SIGKILL)
    until(lambda: postgres.state is State.STOPPED)
    with pytest.raises(PartFailed, match="pre-existing shared memory block"):
        postgres.start()
    for pid in left & living().keys():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not left & living().keys())
    busy.join()


COUNT = "SELECT count(*) FROM generate_series(1, 1000000000)"


def work(address: str) -> None:
    with pytest.raises(psycopg.OperationalError), connect(address) as connection:
        connection.execute(COUNT)


def at_work(address: str) -> int:
    active = "SELECT FROM pg_stat_activity WHERE query = %s AND state = 'active'"
    with connect(address) as connection:
        return connection.execute(active, [COUNT]).rowcount


def test_taken_ports_are_named_with_their_parts_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as first, socket.create_server(("127.0.0.1", 0)) as second:
        for name, server in (("postgres", first), (BOOKING, second)):
            monkeypatch.setitem(ports.STANDARD, name, server.getsockname()[1])
        one, two = ports.STANDARD["postgres"], ports.STANDARD[BOOKING]
        message = rf"^port {one} \(postgres\), {two} \(booking-service\) is taken by another program; .*--free-ports$"
        with pytest.raises(PortsTaken, match=message):
            LocalStack(1, standard_ports=True)
