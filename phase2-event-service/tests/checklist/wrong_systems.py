"""The right system and wrong ones, each with one mistake: `python wrong_systems.py FOLDER NAME [NAME …]`.

A system is an event service and a booking service that buys from it, on two free ports, all from this process; for
each it prints one line `{"name": …, "event-service": port, "booking-service": port}`. A file FOLDER/NAME.SERVICE.kill
takes a service's connections and all that its mistake does not store, and starts it again; the file is removed once it
is back. While FOLDER/NAME.SERVICE.pause is there, the service answers nothing.
"""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import structlog
from booking_saga.inventory import SERVICE_CONFIG
from booking_service.config import BookingSettings
from booking_service.handler import BookingHandler
from booking_service.proto.booking_pb2_grpc import add_BookingServiceServicer_to_server
from booking_service.service import BookingUseCases
from chassis.channel import open_channel
from chassis.interceptor import Continuation
from chassis.server import GrpcServer
from event_service.config import EventSettings
from event_service.handler import EventHandler
from event_service.proto.event_pb2_grpc import add_EventServiceServicer_to_server
from event_service.watching import Watching
from tests.checklist import wrong_buying as buying
from tests.checklist import wrong_event_handlers as h
from tests.checklist import wrong_storage
from tests.checklist import wrong_stores as s
from tests.checklist.event_store import EventStore

from workbook.ports import free_port

WATCH_INTERVAL = 0.05


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a system is made of; the defaults are right. `patience` is the limit of a call between the services."""

    events: type[EventStore] = EventStore
    event_handler: type[EventHandler] = EventHandler
    bookings: type[wrong_storage.Bookings] = wrong_storage.Bookings
    use_cases: type[BookingUseCases] = BookingUseCases
    inventory: type[buying.Inventory] = buying.Inventory
    patience: float = 2
    ready: bool = True


class DescribesCarelessly(s.KeepsLocalTime):
    """Its times are local; its handler forgets venues."""


class ListsCarelessly(s.ListsInAnyOrder, s.FiltersByVenueAlone):
    pass


class PagesCarelessly(h.IgnoresPageSize, h.AcceptsAnyToken):
    pass


class EditsCarelessly(s.UpdatesEverything, s.DeletesReserved):
    pass


class ReservesCarelessly(s.AcceptsAnotherCount, s.RevivesReleased):
    """Its handler reserves less than nothing, too."""


SYSTEMS: Mapping[str, Wiring] = {
    "right": Wiring(),
    # 2.1: events
    "lacks_list": Wiring(event_handler=h.LacksList),
    "describes_carelessly": Wiring(events=DescribesCarelessly, event_handler=h.ForgetsTheVenue),
    "makes_ids_from_the_name": Wiring(events=s.MakesIdsFromTheName),
    "starts_sold_out": Wiring(events=s.StartsSoldOut),
    "answers_nothing_for_unknown": Wiring(event_handler=h.AnswersNothingForUnknown),
    "deletes_nothing": Wiring(events=s.DeletesNothing),
    "edits_carelessly": Wiring(events=EditsCarelessly),
    "lists_carelessly": Wiring(events=ListsCarelessly),
    "pages_carelessly": Wiring(events=s.TakesPercentForAnything, event_handler=PagesCarelessly),
    "turns_pages_by_offset": Wiring(event_handler=h.TurnsPagesByOffset),
    "pages_by_time": Wiring(events=s.PagesByTime),
    "never_ends_pages": Wiring(event_handler=h.NeverEndsPages),
    "accepts_negative_capacity": Wiring(event_handler=h.AcceptsNegativeCapacity),
    "trusts_callers": Wiring(event_handler=h.TrustsCallers),
    "fails_on_malformed_ids": Wiring(event_handler=h.FailsOnMalformedIds),
    # 2.1: tickets
    "adds_nothing": Wiring(events=s.AddsNothing),
    "goes_below_zero": Wiring(events=s.GoesBelowZero),
    "withdraws_what_is_reserved": Wiring(events=s.WithdrawsWhatIsReserved),
    "loses_updates": Wiring(events=s.LosesUpdates),
    "ignores_operations": Wiring(events=s.IgnoresOperations),
    "accepts_used_operations": Wiring(events=s.AcceptsUsedOperations),
    "checks_then_reserves": Wiring(events=s.ChecksThenReserves),
    "reserves_nothing": Wiring(events=s.ReservesNothing),
    "reserves_again": Wiring(events=s.ReservesAgain),
    "looks_for_the_booking_first": Wiring(events=s.LooksForTheBookingFirst),
    "reserves_carelessly": Wiring(events=ReservesCarelessly, event_handler=h.ReservesLessThanNothing),
    "reserves_what_is_left": Wiring(events=s.ReservesWhatIsLeft),
    "answers_sold_out_as_exhausted": Wiring(events=s.AnswersSoldOutAsExhausted),
    "sells_unknown_events_out": Wiring(events=s.SellsUnknownEventsOut),
    "gives_nothing_back": Wiring(events=s.GivesNothingBack),
    "gives_back_twice": Wiring(events=s.GivesBackTwice),
    "gives_back_twice_at_once": Wiring(events=s.GivesBackTwiceAtOnce),
    "leaves_no_tombstone": Wiring(events=s.LeavesNoTombstone),
    # 2.1: watching
    "never_tells_changes": Wiring(event_handler=h.NeverTellsChanges),
    "never_ends_watching": Wiring(event_handler=h.NeverEndsWatching),
    "tells_only_changes": Wiring(event_handler=h.TellsOnlyChanges),
    # 2.2
    "takes_nothing": Wiring(inventory=buying.TakesNothing),
    "takes_one_only": Wiring(inventory=buying.TakesOneOnly),
    "leaves_pending": Wiring(use_cases=buying.LeavesPending),
    "tells_sold_out_as_away": Wiring(inventory=buying.TellsSoldOutAsAway),
    "forgets_the_reason": Wiring(inventory=buying.ForgetsTheReason),
    "believes_in_any_event": Wiring(inventory=buying.BelievesInAnyEvent),
    "keeps_the_tickets": Wiring(inventory=buying.KeepsTheTickets),
    "gives_back_each_time": Wiring(inventory=buying.GivesBackEachTime),
    "asks_and_then_acts": Wiring(inventory=buying.AsksAndThenActs),
    "refuses_who_comes_together": Wiring(inventory=buying.RefusesWhoComesTogether),
    "reserves_on_every_call": Wiring(use_cases=buying.ReservesOnEveryCall),
    "reserves_under_new_ids": Wiring(inventory=buying.ReservesUnderNewIds),
    # 2.2, with the event service paused
    "has_no_deadline": Wiring(patience=3600),
    "confirms_when_unsure": Wiring(inventory=buying.ConfirmsWhenUnsure),
    "holds_a_lock": Wiring(use_cases=buying.OneAtATime, patience=0.3),
    "gives_up_for_ever": Wiring(inventory=buying.GivesUpForEver),
    "sends_again_behind": Wiring(inventory=buying.SendsAgainBehind),
    "forgets_what_is_put_off": Wiring(inventory=buying.ForgetsWhatIsPutOff),
    # 2.3
    "is_never_serving": Wiring(ready=False),
    "forgets_events": Wiring(events=s.ForgetsEvents),
    "forgets_what_is_taken": Wiring(events=s.ForgetsWhatIsTaken),
    "writes_behind": Wiring(events=s.WritesBehind),
    "forgets_bookings": Wiring(bookings=wrong_storage.ForgetsAll),
    "stays_disconnected": Wiring(inventory=buying.GivesUpForEver),
}


class Paused(grpc.aio.ServerInterceptor):
    """Answers nothing while a file is there, whatever is asked."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> Any:
        while self._file.exists():
            await asyncio.sleep(0.02)
        return await continuation(handler_call_details)


class System:
    """Both services of one wiring, each with what it stores, and the ports they keep."""

    def __init__(self, name: str, folder: Path) -> None:
        self.wiring = SYSTEMS[name]
        self._files = f"{folder / name}"
        self.ports = {service: free_port() for service in ("event-service", "booking-service")}
        self._events = self.wiring.events()
        self._bookings = self.wiring.bookings()

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as services:
            services.create_task(self._again_and_again("event-service"))
            services.create_task(self._again_and_again("booking-service"))

    async def _again_and_again(self, service: str) -> None:
        kill = Path(f"{self._files}.{service}.kill")
        while True:
            async with self._running(service) as server, server.running(ready=self._ready):
                await _until_there(kill)
            if service == "event-service":
                self._events = self._events.after_kill()
            else:
                self._bookings = self._bookings.after_kill()

    @asynccontextmanager
    async def _running(self, service: str) -> AsyncIterator[GrpcServer]:
        outside = [Paused(Path(f"{self._files}.{service}.pause"))]
        given: dict[str, Any] = {"grpc_port": self.ports[service], "stop_grace": 0}
        async with AsyncExitStack() as stack:
            if service == "event-service":
                server = GrpcServer(EventSettings(**given), "event.EventService", outside=outside)
                watching = await stack.enter_async_context(Watching(self._events, WATCH_INTERVAL))
                add_EventServiceServicer_to_server(self.wiring.event_handler(self._events, watching), server.grpc)
            else:
                server = GrpcServer(BookingSettings(**given), "booking.BookingService", outside=outside)
                target = f"127.0.0.1:{self.ports['event-service']}"
                channel = await stack.enter_async_context(
                    open_channel(target, deadline_limit=self.wiring.patience, service_config=SERVICE_CONFIG)
                )
                use_cases = self.wiring.use_cases(self._bookings, self.wiring.inventory(channel))
                add_BookingServiceServicer_to_server(BookingHandler(use_cases), server.grpc)
            yield server

    async def _ready(self) -> None:
        if not self.wiring.ready:
            raise RuntimeError("this system never says that it is ready")


async def _until_there(kill: Path) -> None:
    await asyncio.to_thread(kill.unlink, missing_ok=True)
    while not await asyncio.to_thread(kill.exists):
        await asyncio.sleep(0.1)


async def main(folder: Path, names: Sequence[str]) -> None:
    async with asyncio.TaskGroup() as systems:
        for name in names:
            system = System(name, folder)
            systems.create_task(system.serve())
            print(json.dumps({"name": name, **system.ports}), flush=True)


def _end_with_the_owner() -> None:
    sys.stdin.read()  # it ends when the test that started us does, however it ends
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:] or list(SYSTEMS)))
