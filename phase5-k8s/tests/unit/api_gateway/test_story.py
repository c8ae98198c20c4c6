"""What a trace tells of a booking, and what it does not."""

from itertools import count
from typing import Any

from api_gateway.story import in_order, told
from api_gateway.traces import Span

MS = 1_000_000
DB = {"db.system.name": "postgresql"}
INTO_OUTBOX = {"db.query.summary": "INSERT outbox"}
OK = {"rpc.response.status_code": "OK"}


def span(service: str, kind: str, start: float, end: float, *, under: Span | None = None, **more: Any) -> Span:
    return Span(
        trace_id="t",
        span_id=f"s{next(_numbers)}",
        parent_id=under.span_id if under else "",
        service=service,
        name=more.pop("name", kind),
        kind=kind,
        start=int(start * MS),
        end=int(end * MS),
        **more,
    )


_numbers = count()
GATEWAY = span("api-gateway", "SERVER", 1000, 1060, attributes={"http.response.status_code": 201})
BOOKING = span("booking-service", "SERVER", 1003, 1058, under=GATEWAY, attributes=OK)
EVENT = span("event-service", "SERVER", 1040, 1045, under=BOOKING, attributes=OK)
UPDATE = span("event-service", "CLIENT", 1041, 1044, under=EVENT, attributes=DB)
OUTBOX = span("booking-service", "CLIENT", 1050, 1052, under=BOOKING, attributes=DB | INTO_OUTBOX)
SEND = span("booking-service", "PRODUCER", 1070, 1080, under=BOOKING)
AT = {"messaging.kafka.offset": "12", "messaging.destination.partition.id": "1"}  # as Jaeger has numbers
COUNT = span("metrics-consumer", "CONSUMER", 1100, 1104, under=SEND, attributes=AT)
COUNTED = span("metrics-consumer", "CLIENT", 1101, 1103, under=COUNT, attributes=DB)
WHOLE = [GATEWAY, BOOKING, EVENT, UPDATE, OUTBOX, SEND, COUNT, COUNTED]


def steps(spans: list[Span]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in told(spans)["steps"]}


def test_a_whole_trace_has_every_step_with_its_times() -> None:
    found = steps(WHOLE)
    assert list(found) == ["gateway", "booking", "event", "postgres", "outbox", "kafka", "counted"]
    assert (found["kafka"]["start_ms"], found["kafka"]["end_ms"], found["kafka"]["duration_ms"]) == (70, 80, 10)
    assert (found["gateway"]["answer"], found["event"]["answer"], found["kafka"]["answer"]) == ("201", "OK", None)
    story = told(WHOLE)
    assert story["message"] == {"sent": True, "partition": 1, "offset": 12}
    assert story["counted"] is True


def test_statements_are_those_of_the_booking_not_of_the_count() -> None:
    postgres = steps(WHOLE)["postgres"]
    assert (postgres["spans"], postgres["duration_ms"], postgres["start_ms"], postgres["end_ms"]) == (2, 5, 41, 52)


def test_what_has_not_come_is_not_told() -> None:
    story = told([GATEWAY, BOOKING])
    assert [step["name"] for step in story["steps"]] == ["gateway", "booking"]
    assert (story["message"], story["counted"]) == ({"sent": False, "partition": None, "offset": None}, False)


def test_what_failed_is_neither_sent_nor_counted() -> None:
    failed = [span("b", "PRODUCER", 1, 2, error=True), span("m", "CONSUMER", 3, 4, error=True, attributes=AT)]
    story = told(failed)
    assert (story["message"]["sent"], story["message"]["offset"], story["counted"]) == (False, None, False)
    assert all(step["error"] for step in story["steps"])


def test_spans_stand_under_what_caused_them_whatever_came_first() -> None:
    rows = [(each.span_id, depth) for each, depth in in_order(WHOLE[::-1])]
    assert rows == [
        (GATEWAY.span_id, 0),
        (BOOKING.span_id, 1),
        (EVENT.span_id, 2),
        (UPDATE.span_id, 3),
        (OUTBOX.span_id, 2),
        (SEND.span_id, 2),
        (COUNT.span_id, 3),
        (COUNTED.span_id, 4),
    ]


def test_a_span_whose_cause_never_came_stands_at_the_top() -> None:
    assert [(each.span_id, depth) for each, depth in in_order([EVENT, UPDATE])] == [
        (EVENT.span_id, 0),
        (UPDATE.span_id, 1),
    ]


def test_a_trace_is_cut_where_nobody_would_read_on() -> None:
    assert len(told([span("b", "CLIENT", number, number + 1) for number in range(300)])["spans"]) == 200
