"""What every service shows to Prometheus, asked as Prometheus asks, and held against the databases."""

import re
import urllib.request
import uuid

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from telemetry.methods import CODES
from tests.customer import customer, new_event

from tests.signals import TABLE
from tests.waiting import until, until_async
from workbook.postgres import connect
from workbook.stack import LocalStack
from workbook.traces.client import Traces

BOOKING, EVENT, METRICS = "booking-service", "event-service", "metrics-consumer"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def scraped(stack: LocalStack, service: str) -> dict[str, list[Sample]]:
    """The samples of each family; its parser refuses what is not OpenMetrics, such as a family told twice."""
    asking = urllib.request.Request(f"http://{stack.metrics_address(service)}/metrics", headers={"Accept": OPENMETRICS})
    with urllib.request.urlopen(asking, timeout=20) as answer:  # noqa: S310 - its address is ours
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        text = answer.read().decode()
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def value(stack: LocalStack, service: str, family: str, **labels: str) -> float:
    (found,) = [sample.value for sample in scraped(stack, service)[family] if sample.labels == labels]
    return float(found)


@pytest.mark.parametrize("service", [BOOKING, EVENT, METRICS])
def test_each_service_shows_these_families_with_these_labels(stack: LocalStack, service: str) -> None:
    shown = {
        name: {label for sample in samples for label in sample.labels}
        for name, samples in scraped(stack, service).items()
        if not name.startswith("process_")
    }
    shown.setdefault("consumer_lag_messages", {"partition"})  # nothing has it before the first partition is given
    told = {**TABLE["every-service"]["metrics"], **TABLE["services"][service]["metrics"]}
    expected = {name: set(labels) for name, labels in told.items()}
    assert {name: shown[name] for name in expected} == expected
    assert set(shown) - {"consumer_lag_messages"} <= set(expected)


def test_every_label_value_is_of_a_closed_set(stack: LocalStack) -> None:
    for service in (BOOKING, EVENT, METRICS):
        for sample in scraped(stack, service)["grpc_requests"]:
            assert sample.labels["code"] in CODES
            assert sample.labels["side"] in {"server", "client"}
            assert re.fullmatch(r"[a-z.0-9]+\.[A-Z]\w+/[A-Z]\w+|other", sample.labels["method"])


async def test_bookings_and_tickets_are_those_of_the_tables(stack: LocalStack, collector: Traces) -> None:
    event_id = await new_event(stack[EVENT].address)
    before = {status: value(stack, BOOKING, "bookings_by_status", status=status) for status in STATUSES}
    reserved = value(stack, EVENT, "event_tickets", state="reserved")
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        await ada.books(event_id, 3)
        regretted, _ = await ada.books(event_id, 2)
        await ada.cancels(regretted.id)

    async def told() -> bool:
        after = {status: value(stack, BOOKING, "bookings_by_status", status=status) for status in STATUSES}
        more = {status: after[status] - before[status] for status in STATUSES}
        return (
            more == {"pending": 0, "confirmed": 1, "cancelled": 1}
            and value(stack, EVENT, "event_tickets", state="reserved") == reserved + 3
        )

    await until_async(told)
    create = {"side": "server", "method": "booking.BookingService/CreateBooking", "code": "OK"}
    assert value(stack, BOOKING, "grpc_requests", **create) >= 2


STATUSES = ("pending", "confirmed", "cancelled")


async def test_an_exemplar_leads_to_a_trace_that_is_kept(stack: LocalStack, collector: Traces) -> None:
    async with customer(stack[BOOKING].address, collector.endpoint) as ada:
        await ada.books(await new_event(stack[EVENT].address))
    found = {
        sample.exemplar.labels["trace_id"]
        for sample in scraped(stack, BOOKING)["grpc_request_duration_seconds"]
        if sample.exemplar and sample.labels["side"] == "server"
    }
    assert found
    until(lambda: found <= {span.trace_id for span in collector.spans(newest=10_000)})


def test_a_booking_that_stays_pending_is_seen(stack: LocalStack) -> None:
    put = """
        INSERT INTO bookings (id, user_id, event_id, ticket_count, created_at, settle_at)
        VALUES (%s, 'ada', 'jazz', 1, now() - interval '20 s', now() + interval '1 hour')
    """
    booking_id = uuid.uuid4()
    with connect(stack["postgres"].address, "booking_db") as database:
        assert value(stack, BOOKING, "booking_oldest_pending_seconds") < 20
        database.execute(put, [booking_id])
        assert 20 <= value(stack, BOOKING, "booking_oldest_pending_seconds") < 200
        database.execute("DELETE FROM bookings WHERE id = %s", [booking_id])


def test_tickets_that_stay_reserved_for_a_cancelled_booking_are_seen(stack: LocalStack) -> None:
    put = """
        INSERT INTO bookings (id, user_id, event_id, ticket_count, status, created_at, updated_at, settle_at)
        VALUES (%s, 'ada', 'jazz', 1, 'CANCELLED', now() - interval '900 s', now() - interval '20 s',
            now() + interval '1 hour')
    """
    booking_id, figure = uuid.uuid4(), "booking_oldest_not_given_back_seconds"
    with connect(stack["postgres"].address, "booking_db") as database:
        until(lambda: value(stack, BOOKING, figure) == 0)  # those of other tests are given back
        database.execute(put, [booking_id])
        assert 20 <= value(stack, BOOKING, figure) < 200
        assert value(stack, BOOKING, "booking_oldest_pending_seconds") < 20
        database.execute("UPDATE bookings SET given_back = true WHERE id = %s", [booking_id])
        assert value(stack, BOOKING, figure) < 20
        database.execute("DELETE FROM bookings WHERE id = %s", [booking_id])


async def test_a_broken_law_is_seen(stack: LocalStack) -> None:
    event_id = await new_event(stack[EVENT].address)
    broken = "UPDATE events SET available = available + %s WHERE id = %s"
    assert value(stack, EVENT, "events_unbalanced") == 0
    with connect(stack["postgres"].address, "event_db") as database:
        database.execute(broken, [-1, event_id])
        until(lambda: value(stack, EVENT, "events_unbalanced") == 1)
        database.execute(broken, [1, event_id])
        until(lambda: value(stack, EVENT, "events_unbalanced") == 0)
