"""From a number to a request: the exemplars that a service's histogram of requests carries."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.openmetrics.parser import text_string_to_metric_families

_OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}  # the plain format has no exemplars
_BUCKET = "grpc_request_duration_seconds_bucket"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One request that fell into the bucket that ends at `le`: the seconds it took, and its trace."""

    le: str
    seconds: float
    trace_id: str


def exemplars(metrics_address: str, method: str) -> list[Exemplar]:
    """Those of the requests of a method that the service there has answered."""
    asked = urllib.request.Request(f"http://{metrics_address}/metrics", headers=_OPENMETRICS)
    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310 - as above
        return list(_found(answer.read().decode(), method))


def _found(page: str, method: str) -> Iterator[Exemplar]:
    for family in text_string_to_metric_families(page):  # type: ignore[no-untyped-call]
        for name, labels, _, _, exemplar, *_ in family.samples:
            if exemplar and name == _BUCKET and (labels["method"], labels["side"]) == (method, "server"):
                yield Exemplar(labels["le"], exemplar.value, exemplar.labels["trace_id"])
