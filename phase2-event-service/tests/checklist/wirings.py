"""What each system of wrong_systems.py is made of: one mistake, or a few of a kind."""

from collections.abc import Mapping
from dataclasses import dataclass

from booking_service.service import BookingUseCases
from event_service.handler import EventHandler
from tests.checklist import wrong_buying as buying
from tests.checklist import wrong_event_handlers as h
from tests.checklist import wrong_reservations as r
from tests.checklist import wrong_storage
from tests.checklist import wrong_stores as s
from tests.checklist import wrong_when_away as away
from tests.checklist.event_store import EventStore


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a system is made of; the defaults are right. `patience` is the limit of a call between the services."""

    events: type[EventStore] = EventStore
    event_handler: type[EventHandler] = EventHandler
    bookings: type[wrong_storage.Bookings] = wrong_storage.Bookings
    use_cases: type[BookingUseCases] = BookingUseCases
    inventory: type[buying.Inventory] = buying.Inventory
    patience: float = 4
    ready: bool = True


class DescribesCarelessly(s.KeepsLocalTime):
    """Its times are local; its handler forgets venues."""


class ListsCarelessly(s.ListsInAnyOrder, s.FiltersByVenueAlone):
    pass


class PagesCarelessly(h.IgnoresPageSize, h.AcceptsAnyToken):
    pass


class EditsCarelessly(s.UpdatesEverything, s.DeletesReserved):
    pass


class ReservesCarelessly(r.AcceptsAnotherCount, r.RevivesReleased):
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
    "checks_then_reserves": Wiring(events=r.ChecksThenReserves),
    "reserves_nothing": Wiring(events=r.ReservesNothing),
    "reserves_again": Wiring(events=r.ReservesAgain),
    "looks_for_the_booking_first": Wiring(events=r.LooksForTheBookingFirst),
    "reserves_carelessly": Wiring(events=ReservesCarelessly, event_handler=h.ReservesLessThanNothing),
    "reserves_what_is_left": Wiring(events=r.ReservesWhatIsLeft),
    "answers_sold_out_as_exhausted": Wiring(events=r.AnswersSoldOutAsExhausted),
    "sells_unknown_events_out": Wiring(events=r.SellsUnknownEventsOut),
    "gives_nothing_back": Wiring(events=r.GivesNothingBack),
    "gives_back_twice": Wiring(events=r.GivesBackTwice),
    "gives_back_twice_at_once": Wiring(events=r.GivesBackTwiceAtOnce),
    "leaves_no_tombstone": Wiring(events=r.LeavesNoTombstone),
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
    "confirms_when_unsure": Wiring(inventory=away.ConfirmsWhenUnsure),
    "holds_a_lock": Wiring(use_cases=away.OneAtATime, patience=0.5),
    "gives_up_for_ever": Wiring(inventory=away.GivesUpForEver),
    "sends_again_behind": Wiring(inventory=away.SendsAgainBehind),
    "forgets_what_is_put_off": Wiring(inventory=away.ForgetsWhatIsPutOff),
    # 2.3
    "is_never_serving": Wiring(ready=False),
    "forgets_events": Wiring(events=s.ForgetsEvents),
    "forgets_what_is_taken": Wiring(events=s.ForgetsWhatIsTaken),
    "writes_behind": Wiring(events=s.WritesBehind),
    "forgets_bookings": Wiring(bookings=wrong_storage.ForgetsAll),
    "stays_disconnected": Wiring(inventory=away.StaysDisconnected),
}
