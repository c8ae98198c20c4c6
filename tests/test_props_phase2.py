"""What lesson 2 puts on the table does what it says, over the real stack of phase 2."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from IPython.display import DisplayHandle

from workbook.part import State
from workbook.props import growing
from workbook.props.chain import chain
from workbook.props.crowd import Sale, crowd, on_sale, tickets_left
from workbook.props.for_a_while import copy_of, dead, hung
from workbook.props.line import Line
from workbook.props.literal import literal_services
from workbook.props.panel import Panel
from workbook.props.seats import SeatLedger
from workbook.stack import LocalStack

RETRY = {
    "maxAttempts": 2,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
RETRIED = json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": RETRY}]})


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with LocalStack(2, environment={"WATCH_INTERVAL": "0.02"}) as started:
        yield started


async def test_a_crowd_buys_what_is_there(stack: LocalStack) -> None:
    events, bookings = stack["event-service"].address, stack["booking-service"].address
    event_id, sold = await on_sale(events, capacity=5), []
    sale = await crowd([bookings], event_id, [1, 2] * 5, sold=sold.append)
    assert sale.tickets == sum(sold) == 5 - await tickets_left(events, event_id)
    assert set(sale.told) == {"SOLD_OUT"}
    assert len(sale.bookings) + sale.told.total() == 10
    assert sale.rate > 0


async def test_the_literal_flow_is_right_for_one_after_the_other_and_oversells_a_crowd(stack: LocalStack) -> None:
    events = stack["event-service"].address
    with literal_services(events, stack.folder) as addresses:
        event_id = await on_sale(events, capacity=2)
        sales = [await crowd(addresses, event_id, [1]) for _ in range(3)]
        assert [sale.tickets for sale in sales] == [1, 1, 0]
        oversold = 0
        for _ in range(5):
            event_id = await on_sale(events, capacity=5)
            oversold += (await crowd(addresses, event_id, [1] * 40)).tickets - 5
    assert oversold > 0


async def test_with_its_lock_one_copy_does_not_oversell(stack: LocalStack) -> None:
    events = stack["event-service"].address
    with literal_services(events, stack.folder, lock=True) as addresses:
        event_id = await on_sale(events, capacity=5)
        assert (await crowd(addresses, event_id, [1] * 40)).tickets == 5


async def test_a_replica_serves_beside_the_first_and_stops_alone(stack: LocalStack) -> None:
    copy = stack.replica("event-service", DEADLINE_LIMIT="3")
    assert copy.name == "event-service-2"
    event_id = await on_sale(stack["event-service"].address, capacity=5)
    assert await tickets_left(copy.address, event_id) == 5
    copy.stop()
    assert (copy.state, stack["event-service"].state) == (State.STOPPED, State.RUNNING)


async def test_an_interrupt_leaves_no_part_hung_dead_or_over(stack: LocalStack) -> None:
    events = stack["event-service"]
    for block, state in ((hung(events), State.PAUSED), (dead(events), State.STOPPED)):
        with suppress(KeyboardInterrupt), block:
            assert events.state is state
            raise KeyboardInterrupt
        assert events.state is State.RUNNING
    with suppress(KeyboardInterrupt), copy_of(stack, "event-service") as copy:
        assert copy.state is State.RUNNING
        raise KeyboardInterrupt
    assert copy.state is State.STOPPED


async def test_a_part_that_died_while_it_hung_stays_dead(stack: LocalStack) -> None:
    with copy_of(stack, "event-service") as copy:
        with hung(copy):
            copy.kill()
        assert copy.state is State.STOPPED


async def test_a_sale_can_be_watched_while_it_goes_on(stack: LocalStack) -> None:
    sale, bookings = Sale(), stack["booking-service"].address
    event_id = await on_sale(stack["event-service"].address, capacity=1)
    buying = asyncio.create_task(crowd([bookings], event_id, [1, 1], over=600, sale=sale))
    async with asyncio.timeout(10):
        while sale.tickets != 1:  # noqa: ASYNC110 - the first buyer comes at once, the second in five minutes
            await asyncio.sleep(0.01)
    buying.cancel()


async def test_the_seat_ledger_follows_the_sale(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    for method in ("display", "update"):
        monkeypatch.setattr(DisplayHandle, method, lambda _, image: shown.append(image))
    monkeypatch.setattr(growing, "ledger_image", lambda lines, _: {name: line[-1] for name, line in lines.items()})
    events = stack["event-service"].address
    event_id = await on_sale(events, capacity=5)
    async with SeatLedger(events, event_id) as seats:
        await crowd([stack["booking-service"].address], event_id, [2, 2, 2], sold=seats.sold)
        async with asyncio.timeout(10):
            while seats._left != 1:  # noqa: ASYNC110 - what it waits for comes in a stream
                await asyncio.sleep(0.01)
    assert shown[-1] == {"tickets left": 1, "sold": 4}
    assert len(shown) >= 2


async def test_the_panels_buttons_act_on_real_processes(stack: LocalStack) -> None:
    with Line(stack["event-service"].address) as line:
        panel = Panel(stack, "event-service", line=line)
        for action, state in (
            ("pause", State.PAUSED),
            ("resume", State.RUNNING),
            ("kill", State.STOPPED),
            ("start", State.RUNNING),
        ):
            await panel.press("event-service", action)
            assert stack["event-service"].state is state
        panel.slow(0.01)
        assert line.delay == 0.01
        with pytest.raises(ValueError, match="there is kill, pause, resume, start"):
            await panel.press("event-service", "explode")


async def test_retries_multiply_along_a_chain() -> None:
    assert await chain(["{}", "{}"]) == 1
    assert await chain([RETRIED, "{}"]) == 2
    assert await chain([RETRIED, RETRIED, RETRIED], clicks=2) == 16
