"""What a target may name from phase 4 on: are they there; and what the checks read of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from checklist.grafana import Grafana
from checklist.prometheus import may_be_empty, metrics_in
from tests.checklist.answering import JSON, Answering
from tests.checklist.right_tracing import Collected

from workbook.checks.parts import WATCHERS, is_service, silence_of
from workbook.checks.system import System
from workbook.checks.targets import addresses

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def anything() -> Iterator[Answering]:
    server = Answering(lambda path: (200, JSON, json.dumps(path)))
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("name", WATCHERS)
def test_each_answers_and_is_silent(anything: Answering, name: str) -> None:
    assert not is_service(name)
    assert silence_of(name, anything.address, 1) == ""
    assert silence_of(name, NOWHERE, 1).startswith(f"http://{NOWHERE}{WATCHERS[name]} cannot be read (")


def test_a_target_names_them() -> None:
    found = addresses("127.0.0.1:50051,prometheus=127.0.0.1:9090,jaeger=[::1]:16686")
    assert found == {"booking-service": "127.0.0.1:50051", "prometheus": "127.0.0.1:9090", "jaeger": "[::1]:16686"}


def test_a_store_that_is_killed_comes_back() -> None:
    collected = Collected()

    def kill(_: str) -> None:
        collected.kill()
        collected.start()

    collected.start()
    System("a store", {"jaeger": collected.server.address}, kill).restart("jaeger")
    assert silence_of("jaeger", collected.server.address, 1) == ""
    collected.kill()


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("up == 0", {"up"}),
        (
            'sum by (job, code) (rate(grpc_requests_total{code=~"A|B", method!~"grpc[.].*"}[5m]))',
            {"grpc_requests_total"},
        ),
        (
            "job:slow:ratio_rate1h > 14.4 * 0.01 and job:slow:ratio_rate5m > 1e-3",
            {"job:slow:ratio_rate1h", "job:slow:ratio_rate5m"},
        ),
        ("histogram_quantile(0.99, sum by (le) (rate(a_bucket[5m] offset 1h)))", {"a_bucket"}),
        ("a * on (job) group_left (pod) b unless c", {"a", "b", "c"}),
        ('max(a) > bool 5 or vector(0) and label_replace(b, "x", "$1", "y", "(.*)")', {"a", "b"}),
        ("sum(increase(a_total[15m])) without (job) > Inf", {"a_total"}),
    ],
)
def test_the_metrics_of_an_expression(expression: str, names: set[str]) -> None:
    assert metrics_in(expression) == names


@pytest.mark.parametrize(
    ("expression", "empty"),
    [
        ("sum(a) > 0", True),
        ('ALERTS{alertstate="firing"}', True),
        ('sum(rate(a{b!="c"}[5m]))', False),
        ("a / b", False),
    ],
)
def test_what_is_empty_when_all_is_well(expression: str, *, empty: bool) -> None:
    assert may_be_empty(expression) is empty


def test_a_dashboards_variables_are_filled_in() -> None:
    """Chosen, all, or not chosen: then it is the first of what there is to choose from."""
    variables = [
        {"name": "top", "current": {"value": 3}},
        {"name": "job", "current": {"value": ["$__all"]}},
        {"name": "pod", "query": "label_values(up, pod)", "datasource": {"uid": "m"}},
    ]
    expression = 'topk($top, rate(a{job=~"${job:regex}", pod="$pod"}[$__rate_interval]))'
    panel = {"title": "A", "targets": [{"expr": expression}]}
    pods = {"resultType": "vector", "result": [{"metric": {"pod": "two"}}, {"metric": {"pod": "one"}}]}
    answers: dict[str, Any] = {
        "/api/search?type=dash-db&limit=500": [{"uid": "shop"}],
        "/api/dashboards/uid/shop": {"dashboard": {"templating": {"list": variables}, "panels": [panel]}},
        "/api/datasources/proxy/uid/m/api/v1/query?query=group+by+%28pod%29+%28up%29": {"data": pods},
    }
    server = Answering(lambda path: (200, JSON, json.dumps(answers[path])))
    server.start()
    (found,) = Grafana(server.address, 1).panels()
    server.kill()
    assert found.expressions == ('topk(3, rate(a{job=~".*", pod="one"}[1m]))',)


@pytest.mark.parametrize("status", [401, 403])
def test_a_grafana_that_must_not_be_read_is_not_called_wrong(status: int) -> None:
    server = Answering(lambda _path: (status, JSON, "{}"))
    server.start()
    with pytest.raises(pytest.skip.Exception, match="needs a Grafana that we may read"):
        Grafana(server.address, 1).sources()
    server.kill()
