"""Sample events, backup and restore, against a whole system that is at work meanwhile."""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import grpc
import pytest
from booking_saga.config import SagaSettings
from booking_service.proto import booking_pb2 as pb
from booking_service.proto.booking_pb2_grpc import BookingServiceStub
from chassis.settings import PostgresSettings
from counting_laws import broken_laws
from event_service.proto import event_pb2
from event_service.proto.event_pb2_grpc import EventServiceStub

from tests.waiting import until
from workbook import sample
from workbook.admin import token_for
from workbook.backup import command, moment, restoring
from workbook.backup.archive import NoBackup, write
from workbook.backup.restoring import existing, restore
from workbook.bearer import TOKEN, Token, with_token
from workbook.stack import LocalStack

BOOKING, EVENT, METRICS = "booking-service", "event-service", "metrics-consumer"
USER = "user-service"
ONE = "of one moment"
PATIENT = {"DB_LOCK_TIMEOUT": "20", "DB_STATEMENT_TIMEOUT": "20", "EVENT_DEADLINE": "20", "DEADLINE_LIMIT": "30"}
"""Writers who are held up by a backup are not refused by a busy machine's services."""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(5, kafka="embedded", environment={"PENDING_LIMIT": "1", **PATIENT}) as running:
        yield running


@pytest.fixture(scope="module")
def token(stack: LocalStack) -> Token:
    found = token_for(stack)
    assert found
    return found


@pytest.fixture
def event_id(stack: LocalStack, token: Token) -> str:
    with with_token(grpc.insecure_channel(stack[EVENT].address), token) as channel:
        events: Any = EventServiceStub(channel)
        sample.put_on_sale(events)
        (found, *_) = events.ListEvents(event_pb2.ListEventsRequest(venue="Saracoğlu")).events
        return str(found.id)


def databases(stack: LocalStack) -> dict[str, PostgresSettings]:
    return {name: stack.settings_of(name) for name in (USER, EVENT, BOOKING, METRICS)}


def broken(stack: LocalStack) -> list[str]:
    found = broken_laws(*(stack.settings_of(name) for name in (BOOKING, EVENT, METRICS)), pending_limit=5)
    return [f"{each.law} {each.what}" for each in found]


class Buyers:
    """They book and give back all the time; `heard` counts what went through, `refused` holds what did not."""

    def __init__(self, stack: LocalStack, token: Token, event_id: str) -> None:
        self._stack, self._token, self._event_id = stack, token, event_id
        self._over = threading.Event()
        self.heard, self.refused = 0, set[str]()

    def buy(self) -> None:
        with with_token(grpc.insecure_channel(self._stack[BOOKING].address), self._token) as channel:
            bookings: Any = BookingServiceStub(channel)
            while not self._over.is_set():
                try:
                    made = bookings.CreateBooking(wish(self._event_id), timeout=60).booking
                    bookings.CancelBooking(pb.CancelBookingRequest(booking_id=made.id), timeout=60)
                    bookings.CreateBooking(wish(self._event_id), timeout=60)
                    self.heard += 1
                except grpc.RpcError as error:
                    refusal: Any = error
                    self.refused.add(f"{refusal.code().name}: {refusal.details()}")

    def go_home(self) -> None:
        self._over.set()


@contextmanager
def buying(stack: LocalStack, token: Token, event_id: str) -> Iterator[Buyers]:
    buyers = Buyers(stack, token, event_id)
    threads = [threading.Thread(target=buyers.buy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: buyers.heard > 10)
        yield buyers
    finally:
        buyers.go_home()
        for thread in threads:
            thread.join()


def wish(event_id: str) -> pb.CreateBookingRequest:
    key = str(uuid.uuid4())
    return pb.CreateBookingRequest(user_id="ada", event_id=event_id, ticket_count=1, idempotency_key=key)


def rows(stack: LocalStack, name: str, table: str) -> int:
    with moment.connected(stack.settings_of(name)) as database:
        (found,) = database.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)  # type: ignore[arg-type]  # noqa: S608
        return int(found)


def test_the_sample_is_put_on_sale_once(
    stack: LocalStack, token: Token, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    where = f"{EVENT}={stack[EVENT].address}"
    assert sample.main(where) == 1
    assert TOKEN in capsys.readouterr().err
    assert rows(stack, EVENT, "events") == 0
    monkeypatch.setenv(TOKEN, token())
    assert [sample.main(where), sample.main(where)] == [0, 0]
    assert rows(stack, EVENT, "events") == 12
    said = capsys.readouterr().out
    assert "12 events put on sale, 0 were there" in said
    assert "0 events put on sale, 12 were there" in said


def slow(monkeypatch: pytest.MonkeyPatch, buyers: Buyers, most: float) -> None:
    """Time goes by between the snapshots, at most so many seconds, in which buyers get on if they can."""
    exported = moment._exported

    def late(reader: Any) -> str:
        found, heard, deadline = exported(reader), buyers.heard, time.monotonic() + most
        while buyers.heard < heard + 5 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        return found

    monkeypatch.setattr(moment, "_exported", late)


def books(stack: LocalStack, token: Token, event_id: str) -> bool:
    with with_token(grpc.insecure_channel(stack[BOOKING].address), token) as channel:
        bookings: Any = BookingServiceStub(channel)
        try:
            return bool(bookings.CreateBooking(wish(event_id), timeout=10).booking.status == "CONFIRMED")
        except grpc.RpcError:
            return False


def test_nothing_is_overwritten_unless_that_is_meant(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands, as the shell calls them."""
    for name, value in stack.environment_of(METRICS).items():
        if name.startswith("DB_") and name != "DB_NAME":
            monkeypatch.setenv(name, value)
    file = tmp_path / "file"
    assert command.back_up(file, "local") == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert "user_db, event_db, booking_db, metrics_db as they were at one moment" in capsys.readouterr().out
    assert command.back_up(file, "local") == 1
    assert "is there already" in capsys.readouterr().err
    before = rows(stack, BOOKING, "bookings")
    assert command.put_back(file, "local", overwrite=False) == 1
    assert "--yes" in capsys.readouterr().err
    file.write_bytes(file.read_bytes()[:-40_000])
    assert command.put_back(file, "local", overwrite=True) == 1
    assert rows(stack, BOOKING, "bookings") == before


@pytest.mark.parametrize("folder", ["that is not there", "file"])
def test_a_backup_that_cannot_be_written_says_so(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoBackup, match="cannot be written"):
        write(tmp_path / folder / "backup.tar", {})


def test_one_name_for_all_databases_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as a shell has in which one service is run by hand: one database would be taken for all four."""
    monkeypatch.setenv("DB_NAME", "booking_db")
    assert command.back_up(tmp_path / "file", "local") == 1
    assert "DB_NAME" in capsys.readouterr().err
    assert command.put_back(tmp_path / "file", "local", overwrite=True) == 1
    assert "DB_NAME" in capsys.readouterr().err


def test_writers_are_held_up_for_less_than_they_wait() -> None:
    """By the settings that services have where nothing else is set, not by those of this stack."""
    waits = [SagaSettings.model_fields[name].default for name in ("db_lock_timeout", "event_deadline")]
    assert min(waits) > moment._HOLD


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no tar")
    with pytest.raises(NoBackup, match="is no backup"):
        restore(tmp_path / "file", {}, overwrite=True)


def test_a_backup_waits_for_what_kafka_holds(
    stack: LocalStack, token: Token, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was told and is not counted is in no database: with the consumer away there is no right moment."""
    monkeypatch.setattr(moment, "_PATIENCE", 2)
    stack[METRICS].kill()
    assert books(stack, token, event_id)
    until(lambda: rows(stack, BOOKING, "outbox") == 0)
    with pytest.raises(moment.NoMoment, match="metrics-consumer"):
        write(tmp_path / "file", databases(stack))
    stack[METRICS].start()
    assert existing(databases(stack)).keys() == databases(stack).keys()
    assert not list(tmp_path.iterdir())


def wait_as_a_backup_does(databases: Mapping[str, PostgresSettings], **_: bool) -> AbstractContextManager[None]:
    return moment.held_up(databases)


@pytest.mark.parametrize("waits", [moment.held_up, wait_as_a_backup_does])
def test_a_restore_waits_for_what_the_outbox_has_sent(
    stack: LocalStack, token: Token, event_id: str, waits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of the outbox may be on its way to Kafka. The control takes it for one that nobody was told of."""
    until(lambda: not broken(stack) and rows(stack, BOOKING, "outbox") == 0)
    write(tmp_path / "file", databases(stack))
    stack["kafka"].pause()
    assert books(stack, token, event_id)
    time.sleep(1)  # the relay has sent it, and hears nothing
    monkeypatch.setattr(restoring, "held_up", waits)
    resumed = threading.Timer(4, stack["kafka"].resume)
    resumed.start()
    warnings: list[str] = []
    restore(tmp_path / "file", databases(stack), overwrite=True, warn=warnings.append)
    resumed.join()
    assert warnings == []
    if waits is moment.held_up:
        until(lambda: books(stack, token, event_id))
        until(lambda: not broken(stack))
    else:
        until(lambda: broken(stack))
        monkeypatch.setattr(moment, "_PATIENCE", 1)
        restore(tmp_path / "file", databases(stack), overwrite=True, warn=warnings.append)
        assert "restore it again" in "".join(warnings), "what is wrong already never comes to rest"
        until(lambda: not broken(stack))


@pytest.mark.parametrize("snapshots", [ONE, "of several moments"])
def test_what_is_restored_keeps_the_laws(
    stack: LocalStack, token: Token, event_id: str, snapshots: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With time between the snapshots; the control is the same without writers being held up."""
    with buying(stack, token, event_id) as buyers:
        slow(monkeypatch, buyers, most=0.3 if snapshots == ONE else 20)
        if snapshots != ONE:
            monkeypatch.setattr(moment, "held_up", lambda *_, **__: nullcontext())
        write(tmp_path / "file", databases(stack))
        monkeypatch.undo()
        heard = buyers.heard
        until(lambda: buyers.heard > heard + 10)
    assert buyers.refused == set(), "a backup refuses nobody"
    until(lambda: not broken(stack))
    before = rows(stack, BOOKING, "bookings")

    restore(tmp_path / "file", databases(stack), overwrite=True)
    assert rows(stack, BOOKING, "bookings") < before
    if snapshots == ONE:
        until(lambda: not broken(stack))
        until(lambda: books(stack, token, event_id))
    else:
        with pytest.raises(AssertionError):
            until(lambda: not broken(stack), patience=4)
    assert rows(stack, USER, "users") == 1
