"""A system that has only what the roadmap asks for: nothing of it is called wrong, and what it lacks is named."""

from tests.checklist.roadmap_messaging import TOPIC, roadmap_messaging

from workbook.checklist import run
from workbook.checks.report import Check, Outcome


def told(checks: list[Check], outcome: Outcome) -> set[str]:
    return {check.said for check in checks if check.outcome is outcome}


def test_it_passes_and_hears_what_it_lacks() -> None:
    with roadmap_messaging() as target:
        report = run(3, target)
    assert not told(report.checks, Outcome.FAILED)
    assert report.status == 0
    assert {check.title.split(":")[0] for check in report.checks if check.outcome is Outcome.PASSED} == {
        "Kafka answers, and says which topics it has",
        "Each booking leads to a message on Kafka, many at once as well",
        "The message of a booking is a JSON object",
        "BookingCreatedEvent has the roadmap's field, of its type, and says what was booked",
        "Each booking leads to one message",
        "A booking that is refused is not told as made",
        "When the message is there, the booking is",
        "It shows figures to Prometheus",
        "Its count of bookings grows by as many as were made",
    }
    assert {words.split(",")[0].split(":")[0] for words in told(report.checks, Outcome.NOT_RUN)} == {
        "needs the headers message-id",
        "needs idempotency_key in CreateBookingRequest",
        "needs --pause COMMAND",
        "needs --restart COMMAND",
        *(
            f"needs {figure} on the consumer's page"
            for figure in ("booking_tickets_sold_total", 'bookings_cancelled_total{previous_status="confirmed"}')
        ),
        'needs bookings_of_today{status="confirmed"} on the consumer\'s page',
        "needs popular_event_tickets",
        "needs consumer_lag_messages",
    }


def test_parts_that_were_not_given_are_not_run() -> None:
    with roadmap_messaging() as target:
        services = [part for part in target.split(",") if "kafka" not in part and "metrics" not in part]
        report = run(3, ",".join(services))
    assert {check.outcome for check in report.checks} == {Outcome.NOT_RUN}
    assert told(report.checks, Outcome.NOT_RUN) == {
        "needs the address of kafka: --target kafka=HOST:PORT,…",
        "needs the address of metrics-consumer: --target metrics-consumer=HOST:PORT,…",
    }
    assert TOPIC not in "".join(told(report.checks, Outcome.NOT_RUN))
