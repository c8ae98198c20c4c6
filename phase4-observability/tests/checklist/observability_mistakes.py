"""By system of observability_systems.py: the box that must fail, and words that its board must say."""

from collections.abc import Mapping

WRONG: Mapping[str, tuple[str, list[str]]] = {
    "shows_no_figures": ("4.1", ["/metrics is not in Prometheus' format"]),
    "names_off_by_one": (
        "4.1",
        [
            "there is no bookings_total on any page, there is booking_total",
            "there is no bookings_by_status on any page, there is booking_by_status",
            "there is no grpc_requests_total on booking-metrics, there is grpc_request_total",
            "there is no grpc_request_duration_seconds on booking-metrics, there is grpc_request_duration_milliseconds",
        ],
    ),
    "declares_carelessly": (
        "4.1",
        [
            'bookings_by_status{status="confirmed"} stands twice on one page',
            "bookings_total on booking-metrics is a gauge, not a counter",
            "grpc_requests_total on booking-metrics is a gauge, not a counter",
            "there are grpc_request_duration_seconds_created besides",
            "grpc_requests_total has no series for CreateBooking and CANCELLED",
            "the buckets of grpc_request_duration_seconds end at 0.1, 1, 10, inf",
        ],
    ),
    "guesses_codes": (
        "4.1",
        [
            "grpc_requests_total grew by 9 with 7 calls that ended with OK",
            "grpc_requests_total grew by 0 with 1 calls that ended with a refusal",
            "grpc_requests_total grew by 0 with 1 calls that ended with bad input",
            "grpc_requests_total grew by 0 with 1 calls that ended with not found",
            "a CreateBooking cancelled by its caller was counted as OK",
            "a CreateBooking with a deadline that passed was counted as ",
        ],
    ),
    "counts_answers_alone": (
        "4.1",
        [
            "grpc_requests_total counted 7 of 9 calls of CreateBooking: 7 as OK",
            "a CreateBooking cancelled by its caller was not counted",
            "a CreateBooking with a deadline that passed was not counted",
        ],
    ),
    "counts_twice": ("4.1", ["grpc_requests_total counted 18 of 9 calls of CreateBooking: 14 as OK"]),
    "times_carelessly": (
        "4.1",
        [
            "grpc_request_duration_seconds_count grew by 7 with 9 calls of CreateBooking",
            "grpc_request_duration_seconds_sum grew by ",
            "_count is 7, and the bucket +Inf None",
        ],
    ),
    "counts_each_bucket_alone": ("4.1", ["and none may count less than the one before it"]),
    "labels_what_is_sent": (
        "4.1",
        [
            "50 unknown methods and 50 unknown ids made 100 series, such as grpc_requests_total{",
            " on booking-metrics holds an id",
        ],
    ),
    "takes_cancelled_back": (
        "4.1",
        [
            "bookings_total grew by 5 with 7 bookings, of which 2 were cancelled, and 2 refusals",
            "bookings_by_status changed: pending by +7, confirmed by +0, cancelled by +1",
            'bookings_total{status="confirmed"} went from ',
        ],
    ),
    "counts_refusals_as_bookings": ("4.1", ["bookings_total grew by 8 with 7 bookings"]),
    "counts_again": (
        "4.1",
        [
            "bookings_total grew by 3 with 2 bookings, of which one's request came twice",
            "with 2 bookings, around a kill of booking-service",
        ],
    ),
    "counts_deliveries": (
        "4.1",
        ["bookings_total grew by 3 with 2 bookings, of which one's request and message came twice"],
    ),
    "has_no_prometheus": ("4.2", ["/-/ready cannot be read"]),
    "asks_carelessly": (
        "4.2",
        [
            "no target of Prometheus has what event-metrics shows",
            "Prometheus cannot read http://127.0.0.1:1/metrics: ",
            "none of 0 expressions of Grafana's panels asks for bookings",
        ],
    ),
    "has_no_alerts": ("4.2", ["Prometheus has no alert rule", "Grafana has no data source for Prometheus"]),
    "has_a_sick_rule": ("4.2", ["the rule Down is err: "]),
    "alerts_carelessly": (
        "4.2",
        [
            "Down asks for grpc_request_total, and nobody shows that: it can never fire",
            "Down has no annotation summary",
            "Down has no annotation runbook",
            "Down has no `for`",
            "the event service was paused, and Down stayed off",
        ],
    ),
    "never_ends": ("4.2", ["is still on long after the event service was back"]),
    "has_no_grafana": ("4.2", ["/api/health cannot be read"]),
    "has_a_source_that_is_away": ("4.2", ["Grafana's data source metrics does not answer"]),
    "has_an_empty_panel": ("4.2", ["“Sold” of “Shop” asks for booking_tickets_sold: answers with nothing"]),
    "has_no_store": ("4.3", ["http://127.0.0.1:1/ cannot be read"]),
    "begins_anew": ("4.3", ["no span came of a booking whose caller sent traceparent 00-"]),
    "keeps_ids_alone": ("4.3", ["CreateBooking, is not under the span that its caller named"]),
    "goes_alone": ("4.3", ["only booking-service has spans in the trace of a booking"]),
    "loses_its_place": ("4.3", ["1 of 3 spans are under a span that is not in the trace"]),
    "tells_kafka_nothing": ("4.3", ["and its message has the header traceparent ''"]),
    "tells_kafka_another_trace": ("4.3", ["and its message has the header traceparent '00-"]),
    "tells_kafka_another_span": ("4.3", ["names a span that is not in the trace"]),
    "consumes_anew": ("4.3", ["no consumer has a span in the booking's trace, booking-service, event-service have"]),
    "keeps_too_much": (
        "4.3",
        [
            "spans came of a call whose traceparent ends with 00",
            "the server's span is an error though it answered a refusal and bad input and not found",
        ],
    ),
    "waits_for_its_store": ("4.3", ["while the store of traces was paused"]),
    "gives_up": (
        "4.3",
        [
            "and the server's span is no error",
            "no trace came any more after the store of traces had been paused",
        ],
    ),
}
