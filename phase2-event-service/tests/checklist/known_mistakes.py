"""By system of wirings.py: the box that must fail, and words that its board must say."""

from collections.abc import Mapping

KILLED = frozenset(
    {"forgets_events", "forgets_what_is_taken", "writes_behind", "forgets_bookings", "stays_disconnected"}
)
"""Systems whose mistake shows when a service is killed. It takes time, so the others are not killed."""

PAUSED = frozenset(
    {
        *("has_no_deadline", "confirms_when_unsure", "holds_a_lock"),
        *("gives_up_for_ever", "sends_again_behind", "forgets_what_is_put_off"),
    }
)
"""Systems whose mistake shows when the event service is paused."""

WAITS = frozenset({"never_tells_changes", "never_ends_watching", "tells_only_changes"})
"""Systems that make the checks wait for what never comes."""

WRONG: Mapping[str, tuple[str, list[str]]] = {
    "lacks_list": ("2.1", ["/event.EventService/ListEvents answered UNIMPLEMENTED"]),
    "describes_carelessly": (
        "2.1",
        [
            "CreateEvent was sent venue 'check-venue-",
            "starts_at is +3.0 hours from what was sent",
            "for an event made with ''",
        ],
    ),
    "makes_ids_from_the_name": ("2.1", ["CreateEvent gave the id"]),
    "starts_sold_out": ("2.1", ["a new event with 10 tickets has 0 available"]),
    "answers_nothing_for_unknown": ("2.1", ["GetEvent of an unknown id answered OK"]),
    "deletes_nothing": ("2.1", ["GetEvent of a deleted event answered OK"]),
    "edits_carelessly": (
        "2.1",
        [
            "UpdateEvent of the name made venue 'somewhere', it was",
            "DeleteEvent of an event with a reserved ticket answered OK",
        ],
    ),
    "lists_carelessly": (
        "2.1",
        [
            "ListEvents is in the order ['third', 'second', 'first']",
            *(
                f"of a match and a theatre play, ListEvents by {field} found ['match', 'theatre'], not ['{wanted}']"
                for field, wanted in (
                    ("kind", "match"),
                    ("starts_from", "theatre"),
                    ("starts_before", "match"),
                    ("only_available", "theatre"),
                )
            ),
        ],
    ),
    "pages_carelessly": (
        "2.1",
        [
            "ListEvents by venue found ['match', 'theatre'], not ['match']",
            "ListEvents with page_size 2 of 3 events answered 3",
            "ListEvents with a page_token it never gave out answered OK",
        ],
    ),
    "turns_pages_by_offset": ("2.1", ["events when one is added before them"]),
    "pages_by_time": ("2.1", ["pages lost 3 of 5 events of one moment"]),
    "never_ends_pages": ("2.1", ["ListEvents answered a next_page_token on the last page"]),
    "accepts_negative_capacity": ("2.1", ["CreateEvent with capacity -1 answered OK"]),
    "trusts_callers": (
        "2.1",
        [
            "CreateEvent with a blank name answered OK",
            "CreateEvent with a NUL in its name answered INTERNAL",
            "CreateEvent with an empty venue answered OK",
            "CreateEvent with no starts_at answered OK",
        ],
    ),
    "fails_on_malformed_ids": (
        "2.1",
        [
            "GetEvent of a malformed id (a word) answered INTERNAL",
            "UpdateAvailableTickets of a malformed id (a word) answered INTERNAL",
        ],
    ),
    "adds_nothing": ("2.1", ["UpdateAvailableTickets by +5 answered 10 available, GetEvent says 10, right is 15"]),
    "goes_below_zero": ("2.1", ["UpdateAvailableTickets by -11 of 10 tickets answered OK"]),
    "withdraws_what_is_reserved": ("2.1", ["UpdateAvailableTickets by -3 when 2 are not reserved answered OK"]),
    "loses_updates": ("2.1", ["20 calls at once, a ticket each, withdrawn"]),
    "ignores_operations": ("2.1", ["+5 tickets sent twice with one operation_id added 10"]),
    "accepts_used_operations": ("2.1", ["with a used operation_id and another change answered OK"]),
    "checks_then_reserves": ("2.1", ["20 calls at once, a ticket each, reserved"]),
    "reserves_nothing": ("2.1", ["after a reservation of 3, 10 of 10 tickets are available, not 7"]),
    "reserves_again": (
        "2.1",
        ["after one booking's reservation of 3, sent three times, 1 of 10 tickets are available"],
    ),
    "looks_for_the_booking_first": ("2.1", ["20 calls of one booking at once"]),
    "reserves_carelessly": (
        "2.1",
        [
            "ReserveTickets of a booking that holds another count answered OK",
            "ReserveTickets of a booking that has given its tickets back answered OK",
            "ReserveTickets with ticket_count -1 answered OK",
        ],
    ),
    "reserves_what_is_left": ("2.1", ["ReserveTickets of 3 when 2 are left answered OK"]),
    "answers_sold_out_as_exhausted": ("2.1", ["ReserveTickets of 3 when 2 are left answered RESOURCE_EXHAUSTED"]),
    "sells_unknown_events_out": ("2.1", ["ReserveTickets of an unknown event answered FAILED_PRECONDITION"]),
    "gives_nothing_back": ("2.1", ["after a reservation and its release, 7 of 10 tickets are available, not 10"]),
    "gives_back_twice": ("2.1", ["after releasing one booking twice, 7 of 10 tickets are available, not 5"]),
    "gives_back_twice_at_once": ("2.1", ["20 releases at once of one ticket left"]),
    "leaves_no_tombstone": ("2.1", ["ReserveTickets after its release answered OK"]),
    "never_tells_changes": ("2.1", ["WatchAvailability sent nothing when tickets were added"]),
    "never_ends_watching": (
        "2.1",
        [
            "WatchAvailability of a deleted event went on without a word",
            "WatchAvailability of an unknown event answered DEADLINE_EXCEEDED",
        ],
    ),
    "tells_only_changes": ("2.1", ["WatchAvailability sent nothing when it began"]),
    "takes_nothing": ("2.2", ["a booking of 3 of 10 tickets left 10 available"]),
    "takes_one_only": ("2.2", ["a booking of 3 of 10 tickets left 9 available"]),
    "leaves_pending": ("2.2", ["a booking refused as sold out is PENDING", "a booking of no event is PENDING"]),
    "tells_sold_out_as_away": ("2.2", ["CreateBooking of a ticket more answered UNAVAILABLE"]),
    "forgets_the_reason": ("2.2", ["the reason of a sold-out refusal is 'TICKETS_REFUSED'"]),
    "believes_in_any_event": ("2.2", ["CreateBooking of an event that is not there answered OK"]),
    "keeps_the_tickets": ("2.2", ["a booking of all 10 tickets was cancelled, and 0 are available"]),
    "gives_back_each_time": (
        "2.2",
        [
            "cancelling 2 tickets twice left 7 available, not 5",
            "4 cancellations at once of a booking of 1 ticket left 8 available, not 5",
        ],
    ),
    "asks_and_then_acts": ("2.2", ["30 buyers at once got"]),
    "refuses_who_comes_together": ("2.2", ["30 buyers of a ticket each got"]),
    "reserves_on_every_call": ("2.2", ["a booking of 3 sent twice with one key took 6 tickets"]),
    "reserves_under_new_ids": ("2.2", ["10 calls at once for one ticket with one key took"]),
    "has_no_deadline": ("2.2", ["CreateBooking with the event service paused did not answer within 10 s"]),
    "confirms_when_unsure": ("2.2", ["CreateBooking with the event service paused answered CONFIRMED"]),
    "holds_a_lock": ("2.2", ["GetBooking while 12 buyers wait for the event service answered OK after"]),
    "gives_up_for_ever": ("2.2", ["CreateBooking still fails 6 s after the event service answers again"]),
    "sends_again_behind": ("2.2", ["tickets are left, not 8"]),
    "forgets_what_is_put_off": (
        "2.2",
        ["a booking cancelled while the event service was paused never gave its tickets back: 7 of 10"],
    ),
    "is_never_serving": (
        "2.3",
        [
            "grpc.health.v1.Health/Check of event-service answered NOT_SERVING",
            "grpc.health.v1.Health/Check of booking-service answered NOT_SERVING",
        ],
    ),
    "forgets_events": ("2.3", ["GetEvent made before event-service was killed answered NOT_FOUND"]),
    "forgets_what_is_taken": (
        "2.3",
        ["available_tickets of an event was 7 and is 10 after event-service was killed"],
    ),
    "writes_behind": ("2.3", ["tickets were sold around the kill of event-service, and only"]),
    "forgets_bookings": ("2.3", ["GetBooking made before booking-service was killed answered NOT_FOUND"]),
    "stays_disconnected": ("2.3", ["event-service was killed and is back, and CreateBooking still fails"]),
}
