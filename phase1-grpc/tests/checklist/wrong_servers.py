"""The right server and wrong ones, with one mistake or a few of a kind: `python wrong_servers.py FOLDER NAME [NAME …]`.

Each serves on a free port, all from this process, and prints it: one line `{"name": …, "port": …}` each. A file
FOLDER/NAME.kill takes a server's connections and all that its mistake does not store, and starts it again on its port;
the file is removed once it is back.
"""

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from booking_service.config import BookingSettings
from booking_service.handler import BookingHandler
from booking_service.inventory import EveryEventHasTickets
from booking_service.proto.booking_pb2_grpc import add_BookingServiceServicer_to_server
from booking_service.service import BookingUseCases
from chassis.interceptor import Around
from chassis.server import GrpcServer
from tests.checklist import wrong_handlers as h
from tests.checklist import wrong_lists as lists
from tests.checklist import wrong_storage as s
from tests.checklist import wrong_use_cases as u

from workbook.ports import free_port


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a server is made of; the defaults are right."""

    bookings: type[s.Bookings] = s.Bookings
    use_cases: type[BookingUseCases] = BookingUseCases
    handler: type[BookingHandler] = BookingHandler
    inside: Sequence[Around] = ()
    ready: bool = True


class TrustsCallers(
    h.AcceptsBlankNames,
    h.HandsNulToTheDatabase,
    h.AcceptsAnyNumber,
    h.CancelsMalformedIds,
    lists.ListsAllForNobody,
    lists.IgnoresWrongTokens,
):
    """Checks nothing that it is sent."""


class AnswersCarelessly(h.ForgetsTheEvent, h.SpeaksLowerCase, h.RefusesUnknownAsInvalid):
    """Small mistakes in what it answers."""


class StoresCarelessly(s.KeepsLocalTime, s.OverwritesReason):
    """Small mistakes in what it stores."""


class PagesCarelessly(lists.RefusesLargePages, lists.IgnoresPageSize, lists.KnowsNobodyWithoutBookings):
    """Small mistakes in what it lists."""


class ListsTwiceOldestFirst(s.ListsOldestFirst, s.ListsTwice):
    pass


SERVERS: Mapping[str, Wiring] = {
    "right": Wiring(),
    # 1.1
    "lacks_list": Wiring(handler=lists.LacksList),
    "adds_one_ticket": Wiring(handler=h.AddsOneTicket),
    # 1.2
    "dies_on_garbage": Wiring(inside=[h.DiesOnGarbage()]),
    "dies_when_callers_leave": Wiring(use_cases=u.BooksOneAtATime, inside=[h.DiesWhenCallersLeave()]),
    "answers_four_callers_and_is_never_serving": Wiring(handler=lists.AnswersFourCallers, ready=False),
    # 1.3
    "runs_out_of_connections": Wiring(bookings=s.RunsOutOfConnections),
    "knows_only_its_own_callers": Wiring(handler=h.KnowsOnlyItsOwnCallers),
    "forgets_all": Wiring(bookings=s.ForgetsAll),
    "forgets_the_latest": Wiring(bookings=s.ForgetsTheLatest),
    "forgets_cancellations": Wiring(bookings=s.ForgetsCancellations),
    "counts_ids_in_memory": Wiring(bookings=s.CountsIdsInMemory),
    # 1.4
    "is_careless": Wiring(bookings=StoresCarelessly, handler=AnswersCarelessly),
    "reuses_ids": Wiring(bookings=s.MakesIdsFromTheWish),
    "answers_nothing_for_unknown": Wiring(handler=h.AnswersNothingForUnknown),
    "hangs_on_unknown": Wiring(handler=h.HangsOnUnknown),
    "lists_everybody": Wiring(bookings=s.ListsEverybody),
    "lists_by_prefix": Wiring(bookings=s.ListsByPrefix),
    "lists_two_at_most": Wiring(bookings=s.ListsTwoAtMost),
    "lists_twice_oldest_first": Wiring(bookings=ListsTwiceOldestFirst),
    "pages_carelessly": Wiring(handler=PagesCarelessly),
    "turns_pages_by_offset": Wiring(handler=lists.TurnsPagesByOffset),
    "never_ends_pages": Wiring(handler=lists.NeverEndsPages),
    "cancels_nothing": Wiring(use_cases=u.CancelsNothing),
    "cancels_anything_and_all_of_the_user": Wiring(use_cases=u.CancelsAllOfTheUser, handler=h.CancelsAnything),
    "cancels_once": Wiring(use_cases=u.CancelsOnce),
    "deletes_cancelled": Wiring(bookings=s.DeletesCancelled),
    # 1.5
    "accepts_zero_tickets": Wiring(handler=h.AcceptsZero),
    "accepts_negative_tickets": Wiring(handler=h.AcceptsNegative),
    "trusts_callers": Wiring(handler=TrustsCallers),
    "fails_on_malformed_id": Wiring(handler=h.FailsOnMalformedId),
    "dies_on_malformed_id": Wiring(inside=[h.DiesOnMalformedId()]),
    "races_for_ids": Wiring(bookings=s.RacesForIds),
    "ignores_keys": Wiring(bookings=s.IgnoresKeys),
    "loses_races": Wiring(bookings=s.LooksForTheKeyFirst, use_cases=u.CancelsOneAtATime),
    "mixes_up_keys": Wiring(bookings=s.SharesKeys, use_cases=u.AcceptsUsedKeys),
    "brings_back": Wiring(bookings=s.BringsBack),
    # anywhere
    "hangs_always": Wiring(handler=h.HangsAlways),
}


async def serve(name: str, folder: Path) -> None:
    wiring, port = SERVERS[name], free_port()  # not one of the system's choice, which others may get in between
    bookings = wiring.bookings()
    kill = folder / f"{name}.kill"
    while True:
        server = _server(wiring, bookings, port)
        async with server.running(ready=lambda: _ready(wiring)):
            kill.unlink(missing_ok=True)
            print(json.dumps({"name": name, "port": port}), flush=True)
            while not kill.exists():
                await asyncio.sleep(0.1)
        bookings = bookings.after_kill()


def _server(wiring: Wiring, bookings: s.Bookings, port: int) -> GrpcServer:
    server = GrpcServer(BookingSettings(grpc_port=port, stop_grace=0), "booking.BookingService", inside=wiring.inside)
    handler = wiring.handler(wiring.use_cases(bookings, EveryEventHasTickets()))
    add_BookingServiceServicer_to_server(handler, server.grpc)
    return server


async def _ready(wiring: Wiring) -> None:
    if not wiring.ready:
        raise RuntimeError("this server never says that it is ready")


async def main(folder: Path, names: Sequence[str]) -> None:
    async with asyncio.TaskGroup() as servers:
        for name in names:
            servers.create_task(serve(name, folder))


def _end_with_the_owner() -> None:
    sys.stdin.read()  # it ends when the test that started us does, however it ends
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_owner, daemon=True).start()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2:] or list(SERVERS)))
