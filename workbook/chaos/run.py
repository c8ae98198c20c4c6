"""One random run against a local stack: clients, faults, and the wait until everything has come to rest."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from access.bearer import CarryToken
from counting_laws import miscounted
from event_service.proto import event_pb2 as events_pb
from google.protobuf.timestamp_pb2 import Timestamp
from invariants import Broken, broken_laws

from workbook.admin import token_for
from workbook.chaos import checker
from workbook.chaos.clients import Client, Observer, stubs
from workbook.chaos.history import Happened, History
from workbook.chaos.plan import CAPACITY, CLIENTS, EVENTS, PARTS, TELLING, Fault, faults_of, wishes_of
from workbook.stack import LocalStack

ENVIRONMENT = {
    "PENDING_LIMIT": "5",
    "RECOVERY_INTERVAL": "0.2",
    "LOG_LEVEL": "warning",
    "ACCESS_TOKEN_LIFE": "86400",  # one for the whole run: nobody could log in while PostgreSQL is down
}
REST = 30.0  # seconds after which what is broken stays broken: PENDING_LIMIT, a lease, and much patience
_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 500)]


async def run(stack: LocalStack, seed: int, seconds: float, progress: Callable[[History], None]) -> History:
    """Lets clients and faults loose for so many seconds; `progress` is called a few times a second."""
    async with _services(stack) as (bookings, events):
        ids = [await _new_event(events) for _ in range(EVENTS)]
        history, over = History(), asyncio.Event()
        clients = [Client(n, wishes_of(seed, n), bookings, events, ids, history) for n in range(CLIENTS)]
        clients.append(Observer(CLIENTS, iter(()), bookings, events, ids, history))
        async with asyncio.TaskGroup() as group:
            for client in clients:
                group.create_task(client.run(over))
            for part in parts_of(stack):
                group.create_task(_inflict(stack, faults_of(seed, seconds, [part]), history))
            while history.now() < seconds:
                progress(history)
                await asyncio.sleep(0.2)
            over.set()
    await asyncio.to_thread(_heal, stack)
    return history


def parts_of(stack: LocalStack) -> list[str]:
    """The parts that faults befall. The embedded broker is left alone: killed it forgets, and its groups are slow."""
    return [*PARTS, *(TELLING if stack.kafka == "apache" else ())]


async def verdict(stack: LocalStack, history: History, rest: float = REST) -> list[Broken]:
    """What is broken once everything has come to rest, or after `rest` seconds."""
    settings = [stack.settings_of(name) for name in ("booking-service", "event-service")]
    told = checker.acknowledged(history)
    end = asyncio.get_running_loop().time() + rest
    while True:
        found = await asyncio.to_thread(broken_laws, *settings, acknowledged=told, pending_limit=0)
        if "metrics-consumer" in stack.parts:
            metrics = stack.settings_of("metrics-consumer")
            found += await asyncio.to_thread(miscounted, settings[0], metrics)
        if not found or asyncio.get_running_loop().time() > end:
            break
        await asyncio.sleep(0.2)
    return found + checker.broken(history, checker.final(*settings), CAPACITY)


async def _inflict(stack: LocalStack, faults: list[Fault], history: History) -> None:
    """The faults of one part, one after the other."""
    for fault in faults:
        await asyncio.sleep(max(0.0, fault.at - history.now()))
        began = history.now()
        part = stack[fault.part]
        if fault.kind == "restart":
            await asyncio.to_thread(part.restart)
        else:
            undo = part.resume if fault.kind == "pause" else part.start
            await asyncio.to_thread(part.pause if fault.kind == "pause" else part.kill)
            await asyncio.sleep(fault.seconds)
            await asyncio.to_thread(undo)
        history.faults.append(Happened(fault.part, fault.kind, began, history.now()))


def _heal(stack: LocalStack) -> None:
    for part in stack.parts.values():
        part.resume()
        part.start()


@contextlib.asynccontextmanager
async def _services(stack: LocalStack) -> AsyncIterator[tuple[Any, Any]]:
    token = token_for(stack)
    carried = [CarryToken(token)] if token else []
    opened = [
        grpc.aio.insecure_channel(stack[name].address, _RECONNECT, interceptors=carried)
        for name in ("booking-service", "event-service")
    ]
    async with contextlib.AsyncExitStack() as channels:
        yield stubs(*[await channels.enter_async_context(channel) for channel in opened])


async def _new_event(events: Any) -> str:
    starts_at = Timestamp()
    starts_at.FromDatetime(datetime.now(UTC) + timedelta(days=30))
    new = events_pb.CreateEventRequest(
        name="Jazz night", kind="concert", starts_at=starts_at, venue="Babylon", capacity=CAPACITY
    )
    return str((await events.CreateEvent(new, timeout=10, wait_for_ready=True)).event.id)
