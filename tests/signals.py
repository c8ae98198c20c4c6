"""What a running system told, held against the table in phase4-observability/signals.toml."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from workbook.phases import ROOT
from workbook.traces.client import Edges, edges
from workbook.traces.span import Span

Table = Mapping[str, Any]
TABLE: Table = tomllib.loads((ROOT / "phase4-observability" / "signals.toml").read_text())
_SERIES = re.compile(r"(\w+?)(?:\{(.*)\})?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_SYSTEMS = {"db.system.name": "postgres", "messaging.system": "kafka"}  # the attribute of a span that talks to it


@dataclass
class Told:
    """By service: names of metrics, series that grew, lines of the log; by outcome: spans of one trace."""

    metrics: dict[str, set[str]] = field(default_factory=dict)
    grown: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    traces: dict[str, list[Span]] = field(default_factory=dict)


def problems(told: Told, table: Table = TABLE) -> list[str]:
    """What is not as the table says, in words; empty when all is well."""
    return [
        *(problem for name in table["services"] for problem in _of_service(name, told, table)),
        *(problem for outcome in table["traces"] for problem in _of_trace(outcome, told, table)),
        *_differences("calls", _pairs(table["calls"]), calls(told)),
        *_differences("messages", _pairs(table["messages"]), messages(told)),
    ]


def families(exposed: str) -> set[str]:
    """The metrics that have values there; those about the process itself differ from system to system."""
    found = {family.name for family in text_string_to_metric_families(exposed) if family.samples}
    return {name for name in found if not name.startswith(("process_", "python_"))}


def value(exposed: str, series: str) -> float:
    """The sum of the samples that fit, such as of bookings_total{status="confirmed"}."""
    asked = _SERIES.fullmatch(series)
    assert asked is not None, series
    labels = dict(_LABEL.findall(asked[2] or ""))
    samples = (sample for family in text_string_to_metric_families(exposed) for sample in family.samples)
    return sum(sample.value for sample in samples if _fits(sample, asked[1], labels))


def _fits(sample: Sample, name: str, labels: Mapping[str, str]) -> bool:
    return sample.name == name and labels.items() <= sample.labels.items()


def calls(told: Told) -> Edges:
    """Who was seen to open a connection to whom."""
    spans = [span for trace in told.traces.values() for span in trace]
    systems = {(span.service, to) for span in spans for key, to in _SYSTEMS.items() if key in span.attributes}
    return systems | {(above.service, below.service) for above, below in _across(spans) if below.kind == "SERVER"}


def messages(told: Told) -> Edges:
    spans = [span for trace in told.traces.values() for span in trace]
    return {(above.service, below.service) for above, below in _across(spans) if below.kind == "CONSUMER"}


def _across(spans: Iterable[Span]) -> Iterator[tuple[Span, Span]]:
    by_id = {span.span_id: span for span in spans}
    return ((by_id[span.parent_id], span) for span in by_id.values() if span.parent_id in by_id)


def _of_service(name: str, told: Told, table: Table) -> Iterator[str]:
    every, own = table["every-service"], table["services"][name]
    yield from _differences(f"metrics of {name}", {*every["metrics"], *own["metrics"]}, told.metrics[name])
    yield from _differences(f"what grows at {name}", set(own["grows"]), told.grown[name])
    lines = told.lines[name]
    for line in lines:
        if absent := set(every["log_fields"]) - set(line):
            yield f"{name} logs {line.get('event')!r} without {sorted(absent)}"
    for event, fields in own["logs"].items():
        if not any(line.get("event") == event and set(fields) <= set(line) for line in lines):
            yield f"{name} does not log {event!r} with {fields}"


def _of_trace(outcome: str, told: Told, table: Table) -> Iterator[str]:
    expected, spans = table["traces"][outcome], told.traces[outcome]
    found = {("caller" if above == "?" else above, below) for above, below in edges(spans)}
    yield from _differences(f"spans of {outcome}", {(above, below) for above, below in expected["edges"]}, found)
    errors = {f"{span.service}: {span.name}" for span in spans if span.error and span.kind == "CLIENT"}
    yield from _differences(f"errors of {outcome}", set(expected["errors"]), errors)


def _pairs(rows: Iterable[Mapping[str, str]]) -> Edges:
    return {(row["from"], row["to"]) for row in rows}


def _differences(what: str, expected: set[Any], found: set[Any]) -> Iterator[str]:
    yield from (f"{what}: {one} is missing" for one in sorted(expected - found))
    yield from (f"{what}: {one} is not in the table" for one in sorted(found - expected))
