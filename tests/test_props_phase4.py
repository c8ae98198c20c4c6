"""What lesson 4 reads with: histograms, exemplars, the time a span spent itself, and answers of a Prometheus."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from workbook.props.exemplars import exemplars
from workbook.props.histogram import kept, read
from workbook.props.own_time import own_time
from workbook.props.promql import PromQL, QueryRefused
from workbook.traces.span import Span


def test_a_histogram_keeps_how_many_lie_at_or_below_each_end() -> None:
    assert kept([0.1, 0.2, 0.3, 9], (0.1, 0.25)) == [(0.1, 1), (0.25, 2), (float("inf"), 4)]


@pytest.mark.parametrize(
    ("q", "seconds"), [(0.25, 0.1), (0.5, 0.2), (0.375, 0.15), (0.99, 0.2)], ids=["end", "next", "between", "beyond"]
)
def test_a_quantile_is_read_as_if_values_lay_evenly(q: float, seconds: float) -> None:
    assert read(q, [(0.1, 1), (0.2, 2), (float("inf"), 4)]) == pytest.approx(seconds)


def test_nothing_counted_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="no value"):
        read(0.5, [(0.1, 0), (float("inf"), 0)])


def test_exemplars_are_those_of_the_method_as_the_server_saw_it() -> None:
    registry = CollectorRegistry()
    seconds = Histogram("grpc_request_duration_seconds", "", ("side", "method"), buckets=(0.1, 1), registry=registry)
    for number, (side, method) in enumerate((("server", "A/Buy"), ("client", "A/Buy"), ("server", "A/See"))):
        seconds.labels(side, method).observe(0.5, {"trace_id": f"{number}"})
    with _answering({"/metrics": (200, generate_latest(registry))}) as address:
        (found,) = exemplars(address, "A/Buy")
    assert (found.le, found.seconds, found.trace_id) == ("1.0", 0.5, "0")


def test_a_span_waits_while_a_child_of_it_runs() -> None:
    spans = [_span("a", "", 0, 10), _span("b", "a", 2, 5), _span("c", "a", 4, 6), _span("d", "a", 9, 30)]
    assert own_time(spans) == {"a": 5, "b": 3, "c": 2, "d": 21}


def test_a_child_that_comes_when_all_is_over_takes_nothing_away() -> None:
    assert own_time([_span("a", "", 0, 10), _span("b", "a", 12, 15)])["a"] == 10


def test_values_come_by_their_labels() -> None:
    answer = _result({"__name__": "up", "job": "shop", "instance": "x"}, value=[1, "1"])
    with _prometheus(query=(200, answer)) as prometheus:
        assert prometheus.ask("up") == {'up{job="shop"}': 1}


def test_a_query_that_is_not_understood_is_refused_in_prometheus_words() -> None:
    with (
        _prometheus(query=(400, {"status": "error", "error": "parse error: unexpected end"})) as prometheus,
        pytest.raises(QueryRefused, match="unexpected end"),
    ):
        prometheus.ask("sum(")


def test_without_a_prometheus_a_cell_says_so_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    prometheus = PromQL(_stack(parts={}))
    prometheus.show("up")
    prometheus.draw(10, "requests", rate="up")
    assert [line[:9] for line in capsys.readouterr().out.splitlines()] == ["○ not run"] * 2


def _span(span_id: str, parent_id: str, start: int, end: int) -> Span:
    return Span("t", span_id, parent_id, "shop", "buy", "SERVER", start * 10**6, end * 10**6, error=False)


def _result(metric: dict[str, str], **values: Any) -> dict[str, Any]:
    return {"status": "success", "data": {"result": [{"metric": metric, **values}]}}


@contextmanager
def _prometheus(**answers: tuple[int, dict[str, Any]]) -> Iterator[PromQL]:
    pages = {f"/api/v1/{what}": (status, json.dumps(body).encode()) for what, (status, body) in answers.items()}
    with _answering(pages) as address:
        yield PromQL(_stack(parts={"prometheus": SimpleNamespace(address=address)}))


def _stack(parts: dict[str, Any]) -> Any:
    class Stack(dict[str, Any]):
        @property
        def parts(self) -> dict[str, Any]:
            return self

    return Stack(parts)


@contextmanager
def _answering(pages: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    """An HTTP server with these pages, by path; what was asked after `?` must be a query or nothing."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            assert not asked.query or parse_qs(asked.query)["query"]
            status, body = pages[asked.path]
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
