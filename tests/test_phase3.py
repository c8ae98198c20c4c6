"""Phase 3 as processes: each booking is counted once, whichever part is killed, and the command that reads the laws."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from chassis.settings import read_settings
from counting_laws import miscounted
from metrics_consumer.config import MetricsSettings

from tests.shop import Shop, open_shop
from tests.waiting import until, until_async
from workbook import laws
from workbook.counted import figures
from workbook.part import Part
from workbook.stack import LocalStack

BOOKING, METRICS = "booking-service", "metrics-consumer"
REJOINS = 90.0  # seconds; a killed member is missed after ten, and librdkafka's own broker takes its time with the next


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """Whichever broker is here: both must do."""
    with LocalStack(3) as running:
        yield running


@pytest.fixture
async def shop(stack: LocalStack) -> AsyncIterator[Shop]:
    for part in stack.parts.values():
        part.start()
    async with open_shop(stack) as shop:
        yield shop


def counted_right(stack: LocalStack) -> bool:
    return not miscounted(stack.settings_of(BOOKING), stack.settings_of(METRICS))


async def book_and_cancel(shop: Shop, first: int, number: int) -> None:
    """Each of so many customers books; every third one cancels. Those who are late find it sold out."""
    event_id = await shop.event(capacity=number - 2)
    for customer in range(first, first + number):
        booking = await shop.book(f"customer-{customer}", event_id)
        if not isinstance(booking, str) and customer % 3 == 0:
            await shop.cancel(booking.id)


async def killed(part: Part, times: int) -> None:
    """Kills the part again and again while others work, and starts it each time."""
    for _ in range(times):
        await asyncio.sleep(0.3)
        part.kill()
        await asyncio.to_thread(part.start)


async def test_bookings_are_counted_and_prometheus_sees_them(shop: Shop, stack: LocalStack) -> None:
    await book_and_cancel(shop, 0, 20)
    await until_async(lambda: asyncio.to_thread(counted_right, stack))
    seen = figures(stack, METRICS)
    with psycopg.connect(**stack.settings_of(BOOKING).conninfo()) as database:  # type: ignore[arg-type]
        rows = dict(database.execute("SELECT status, count(*) FROM bookings GROUP BY status").fetchall())
    assert seen['bookings_total{status="cancelled"}'] == rows["CANCELLED"]
    assert (
        seen['bookings_total{status="confirmed"}']
        == rows["CONFIRMED"] + seen['bookings_cancelled_total{previous_status="confirmed"}']
    )
    assert figures(stack, BOOKING)["outbox_relay_leads"] == 1


@pytest.mark.parametrize("name", [METRICS, BOOKING])
async def test_whichever_is_killed_each_booking_counts_once(shop: Shop, stack: LocalStack, name: str) -> None:
    working = asyncio.create_task(book_and_cancel(shop, 1000 if name == METRICS else 2000, 60))
    await killed(stack[name], times=2)
    await working
    await until_async(lambda: asyncio.to_thread(counted_right, stack), REJOINS)


def as_told(stack: LocalStack, shell: pytest.MonkeyPatch) -> None:
    """A shell that knows where this stack is; each service's database has its own name."""
    for name, value in stack.environment_of(BOOKING).items():
        if name != "DB_NAME":
            shell.setenv(name, value)


def test_the_laws_are_read_and_a_break_of_the_fourth_is_seen(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_told(stack, monkeypatch)
    until(lambda: laws.main() == 0)
    assert "✓ I4" in capsys.readouterr().out
    with psycopg.connect(**stack.settings_of(METRICS).conninfo(), autocommit=True) as database:  # type: ignore[arg-type]
        database.execute("INSERT INTO daily_bookings VALUES ('2000-01-01', 1, 0, 0, 1, 0)")
        assert laws.main() == 1
        assert "✗ I4" in capsys.readouterr().out
        database.execute("DELETE FROM daily_bookings WHERE day = '2000-01-01'")


def test_before_phase_3_the_fourth_law_is_not_read(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    as_told(stack, monkeypatch)
    nowhere = stack.settings_of(METRICS).model_copy(update={"db_name": "nowhere"})
    monkeypatch.setattr(laws, "read_settings", lambda kind: nowhere if kind is MetricsSettings else read_settings(kind))
    assert laws.main() == 0
    assert "○ I4 not run (needs the system of phase 3" in capsys.readouterr().out
