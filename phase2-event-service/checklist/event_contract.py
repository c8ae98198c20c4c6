"""The event service's contract. The roadmap names its methods and says what an event is; fields it leaves to us.

So `MESSAGES` has what those words need, under the numbers of this workbook's event.proto, and `ADDITIONS` all the rest:
what a server lacks of it is not held against it.
"""

from collections.abc import Mapping

from checklist.contract import Contract, Fields

METHODS = ("CreateEvent", "GetEvent", "ListEvents", "UpdateAvailableTickets")

_TIME = ".google.protobuf.Timestamp"

MESSAGES: Mapping[str, Fields] = {
    "Event": {
        "id": (1, "string"),
        "name": (2, "string"),
        "kind": (3, "string"),
        "starts_at": (4, _TIME),
        "venue": (6, "string"),
        "capacity": (7, "int32"),
        "available_tickets": (8, "int32"),
    },
    "CreateEventRequest": {
        "name": (1, "string"),
        "kind": (2, "string"),
        "starts_at": (3, _TIME),
        "venue": (5, "string"),
        "capacity": (6, "int32"),
    },
    "CreateEventResponse": {"event": (1, ".event.Event")},
    "GetEventRequest": {"event_id": (1, "string")},
    "GetEventResponse": {"event": (1, ".event.Event")},
    "ListEventsRequest": {},
    "ListEventsResponse": {"events": (1, "repeated .event.Event")},
    "UpdateTicketsRequest": {"event_id": (1, "string"), "change": (2, "int32")},
    "UpdateTicketsResponse": {"event": (1, ".event.Event")},
}

ADDITIONS: Mapping[str, Fields] = {
    "Event": {"time_zone": (5, "string")},
    "CreateEventRequest": {"time_zone": (4, "string")},
    "ListEventsRequest": {
        "kind": (1, "string"),
        "starts_from": (2, _TIME),
        "starts_before": (3, _TIME),
        "venue": (4, "string"),
        "only_available": (5, "bool"),
        "page_size": (6, "int32"),
        "page_token": (7, "string"),
    },
    "ListEventsResponse": {"next_page_token": (2, "string")},
    "UpdateEventRequest": {"event_id": (1, "string"), "name": (2, "string"), "venue": (6, "string")},
    "UpdateEventResponse": {"event": (1, ".event.Event")},
    "DeleteEventRequest": {"event_id": (1, "string")},
    "DeleteEventResponse": {},
    "UpdateTicketsRequest": {"operation_id": (3, "string")},
    "ReserveTicketsRequest": {"booking_id": (1, "string"), "event_id": (2, "string"), "ticket_count": (3, "int32")},
    "ReserveTicketsResponse": {"available_tickets": (1, "int32")},
    "ReleaseTicketsRequest": {"booking_id": (1, "string")},
    "ReleaseTicketsResponse": {"released": (1, "bool")},
    "WatchAvailabilityRequest": {"event_id": (1, "string")},
    "WatchAvailabilityResponse": {
        "event_id": (1, "string"),
        "capacity": (2, "int32"),
        "available_tickets": (3, "int32"),
    },
}

EVENT = Contract("event.EventService", "2.1", MESSAGES, ADDITIONS, stems={"UpdateAvailableTickets": "UpdateTickets"})
