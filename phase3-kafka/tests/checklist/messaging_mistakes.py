"""By system of messaging_systems.py: the box that must fail, and words that its board must say."""

from collections.abc import Mapping

PAUSED = frozenset({"waits_for_kafka", "gives_up_on_kafka", "keeps_messages_in_memory", "shows_no_backlog"})
"""Systems whose mistake shows when Kafka is paused."""

KILLED = frozenset(
    {"keeps_messages_in_memory", "forgets_counts", "begins_at_the_end", "stores_before_it_counts", "forgets_ids"}
)
"""Systems whose mistake shows when a service is killed. It takes time, so the others are not killed."""

WRONG: Mapping[str, tuple[str, list[str]]] = {
    "has_no_kafka": ("3.1", ["no Kafka answers at 127.0.0.1:1 within"]),
    "uses_one_partition": ("3.1", ["messages with keys of their own are all in one partition"]),
    "tells_nothing": ("3.2", ["1 of 1 bookings led to no message in any topic of Kafka"]),
    "tells_some": ("3.2", ["4 of 22 bookings led to no message in any topic of Kafka"]),
    "writes_no_json": ("3.2", ["the message of a booking is no JSON object: b'booking_id="]),
    "names_fields_its_own_way": (
        "3.2",
        ["BookingCreatedEvent has no field ticket_count, it has BookingId, UserId, EventId, TicketCount, CreatedAt"],
    ),
    "forgets_the_user": ("3.2", ["BookingCreatedEvent has no field user_id, it has booking_id, event_id,"]),
    "writes_types_of_its_own": (
        "3.2",
        ["BookingCreatedEvent has ticket_count '1', not the number 1", "no time with a time zone as RFC 3339 has it"],
    ),
    "tells_carelessly": (
        "3.2",
        [
            "BookingCreatedEvent has event_id 'jazz', the booking has '",
            "BookingCreatedEvent has ticket_count 2, the booking has 1",
            "created_at in BookingCreatedEvent is +10800.0 seconds from the booking's",
        ],
    ),
    "tells_twice": ("3.2", ["a booking led to 2 messages with ids of their own"]),
    "tells_too_much": (
        "3.2",
        [
            "a booking that was refused led to BookingCreatedEvent",
            "a booking sent twice with one idempotency_key led to 2 messages",
            "a booking that was cancelled led to 2 BookingCancelledEvents",
        ],
    ),
    "tells_first": ("3.2", ["bookings was there before the booking: GetBooking did not know it yet"]),
    "keys_by_user": ("3.2", ["has the key 'check-user-"]),
    "keys_nothing": ("3.2", ["has no key", "messages of one booking are in 2 partitions"]),
    "lacks_message_ids": ("3.2", ["a message has no header message-id, it has type, version, traceparent"]),
    "has_one_message_id": ("3.2", ["different messages have one message-id"]),
    "heads_carelessly": (
        "3.2",
        [
            ", not a UUID",
            "the header version 'v1', not a number such as 1",
            "the header traceparent 'none', not a W3C trace context",
            "BookingCancelledEvent of a CONFIRMED booking has previous_status 'PENDING'",
        ],
    ),
    "types_its_own_way": (
        "3.2",
        ["has the header type 'booking.created', not BookingCreatedEvent or BookingCancelledEvent"],
    ),
    "tells_no_cancellation": ("3.2", ["a booking that was cancelled led to no BookingCancelledEvent"]),
    "tells_cancelled_first": (
        "3.2",
        ["messages of one booking are in the order BookingCancelledEvent, BookingCreatedEvent"],
    ),
    "waits_for_kafka": ("3.2", ["CreateBooking answered DEADLINE_EXCEEDED", "with Kafka paused"]),
    "gives_up_on_kafka": ("3.2", ["bookings made while Kafka was paused led to no message after that"]),
    "keeps_messages_in_memory": ("3.2", ["led to no message: booking-service was killed while Kafka was paused"]),
    "shows_no_backlog": (
        "3.2",
        ["with 5 bookings made while Kafka was paused, outbox_messages_waiting was 0 and outbox_oldest_seconds 0"],
    ),
    "shows_no_figures": ("3.3", ["/metrics is not in Prometheus' format"]),
    "counts_batches": ("3.3", ["no figure grew by 22 with 22 bookings; grew: booking_events_processed by"]),
    "counts_carelessly": (
        "3.3",
        [
            'bookings_total{status="confirmed"} grew by 28 with 22 bookings, not by 22',
            "booking_tickets_sold_total grew by 74 with 22 bookings of 1 to 6 tickets, not by 53",
            'bookings_cancelled_total{previous_status="confirmed"} grew by 0 with 6 cancellations and a refusal',
        ],
    ),
    "counts_tickets_as_bookings": ("3.3", ['bookings_total{status="confirmed"} grew by 53 with 22 bookings']),
    "takes_nothing_back": (
        "3.3",
        [
            'bookings_of_today{status="confirmed"} grew by 22 with 22 bookings of which 6 were cancelled, not by 16',
            "and got 9 back, and popular_event_tickets shows",
            "consumer_lag_messages is",
        ],
    ),
    "knows_by_offset": ("3.3", ["and one message that was sent again to its partition, not by"]),
    "knows_by_partition": (
        "3.3",
        ["and one message that was sent again to another partition, not by", "and a message of type BookingMovedEvent"],
    ),
    "stops_at_poison": ("3.3", ["grew by 0 with", "bookings behind 6 messages that nobody can count, not by"]),
    "counts_poison": ("3.3", ["bookings behind 6 messages that nobody can count, not by"]),
    "drops_poison": ("3.3", ["6 of 6 are not in bookings.dead-letter with their key and value"]),
    "rewrites_poison": ("3.3", ["6 of 6 are not in bookings.dead-letter with their key and value"]),
    "notes_nothing": ("3.3", ["has origin-topic, -partition and -offset (None, None, None)"]),
    "forgets_counts": ("3.3", ["bookings were counted before metrics-consumer was killed, "]),
    "begins_at_the_end": ("3.3", ["made while metrics-consumer was killed"]),
    "stores_before_it_counts": ("3.3", ["made while metrics-consumer was killed"]),
    "forgets_ids": ("3.3", ["made while metrics-consumer was killed"]),
}
