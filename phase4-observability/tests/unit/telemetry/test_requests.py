"""The metrics of requests as Prometheus sees them: closed sets, at 0 from the start, exemplars that name a trace."""

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from telemetry.app import BOOKING
from telemetry.methods import CALLED_BY_BOOKING, CODES, Methods, methods_of
from telemetry.requests import BUCKETS, OBJECTIVE, RequestMetrics, Requests
from tests.observed import exposed_text

METHOD = "booking.BookingService/GetBooking"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def both_sides() -> tuple[RequestMetrics, Requests]:
    metrics = RequestMetrics()
    Requests(metrics, "client", Methods(CALLED_BY_BOOKING))
    return metrics, Requests(metrics, "server", Methods(methods_of(BOOKING)))


async def text_of(metrics: RequestMetrics) -> str:
    return exposed_text(await metrics.figures())


async def test_every_known_label_is_there_at_0() -> None:
    metrics, _ = both_sides()
    families = {family.name: family for family in text_string_to_metric_families(await text_of(metrics))}
    total = families["grpc_requests"].samples
    server = {sample.labels["method"] for sample in total if sample.labels["side"] == "server"}
    client = {sample.labels["method"] for sample in total if sample.labels["side"] == "client"}
    assert server == {
        *(f"booking.BookingService/{name}" for name in ("CreateBooking", "GetBooking", "ListUserBookings")),
        "booking.BookingService/CancelBooking",
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/List",
        "grpc.health.v1.Health/Watch",
        "other",
    }
    assert client == {"event.EventService/ReserveTickets", "event.EventService/ReleaseTickets", "other"}
    assert len(total) == (len(server) + len(client)) * len(CODES)
    assert {sample.value for family in families.values() for sample in family.samples} == {0}
    assert set(families) == {"grpc_requests", "grpc_request_duration_seconds", "grpc_requests_in_flight"}


async def test_the_objective_is_the_end_of_a_bucket() -> None:
    metrics, requests = both_sides()
    for seconds in (OBJECTIVE, OBJECTIVE + 0.001):
        requests.begin(METHOD)
        requests.end(METHOD, "OK", seconds)
    text = await text_of(metrics)
    bucket = 'grpc_request_duration_seconds_bucket{le="%s",method="' + METHOD + '",side="server"} '
    assert f"{bucket % OBJECTIVE}1.0\n" in text
    assert f"{bucket % BUCKETS[BUCKETS.index(OBJECTIVE) + 1]}2.0\n" in text


async def test_a_bucket_names_the_trace_of_a_request_in_it() -> None:
    metrics, requests = both_sides()
    requests.begin(METHOD)
    requests.end(METHOD, "OK", 0.12, TRACE)
    samples = [
        sample
        for family in text_string_to_metric_families(await text_of(metrics))
        for sample in family.samples
        if sample.exemplar
    ]
    assert [(sample.labels["le"], sample.exemplar.labels, sample.exemplar.value) for sample in samples] == [
        ("0.15", {"trace_id": TRACE}, 0.12)
    ]


async def test_without_a_trace_that_is_kept_there_is_no_exemplar() -> None:
    metrics, requests = both_sides()
    requests.begin(METHOD)
    requests.end(METHOD, "OK", 0.12)
    assert " # {" not in await text_of(metrics)


async def test_nothing_tells_when_it_was_made() -> None:
    metrics, _ = both_sides()
    assert "_created" not in await text_of(metrics)
