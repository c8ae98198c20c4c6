"""What looks on: a real Prometheus with rules, right ones or wrong ones, and a Grafana that shows what is there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.checklist.answering import JSON, Answering

from workbook.checks.parts import opened
from workbook.part import Part
from workbook.ports import free_port
from workbook.prometheus import prometheus_part

Rule = dict[str, Any]
NOTES = {"summary": "a part does not answer", "runbook": "runbook.md#down"}


def down(expression: str, wait: str = "30s", notes: Mapping[str, str] = NOTES) -> Rule:
    """An alert on parts that do not answer."""
    rule = {"alert": "Down", "expr": expression, "annotations": notes}
    return {**rule, "for": wait} if wait else rule


FAULTS: Rule = {
    "alert": "Faults",
    "expr": 'sum(rate(grpc_requests_total{code="INTERNAL"}[1m])) > 1',
    "for": "1m",
    "annotations": NOTES,
}
PANELS: Mapping[str, str] = {
    "Bookings": 'sum(bookings_total{status="confirmed"})',
    "Requests": "sum by (method) (rate(grpc_requests_total[$__rate_interval]))",
}
UID = "metrics"


@dataclass(frozen=True, slots=True)
class Watched:
    """Rules, pages that are not asked and such as are not there; what Grafana has: panels, and data sources by uid."""

    rules: tuple[Rule, ...] = (FAULTS, down("up == 0"))
    unseen: frozenset[str] = frozenset()
    dead: Mapping[str, str] = field(default_factory=dict)
    away: bool = False
    grafana: bool = False
    grafana_at: str = ""
    panels: Mapping[str, str] = field(default_factory=lambda: PANELS)
    sources: Mapping[str, str] = field(default_factory=lambda: {UID: ""})


def prometheus_over(folder: Path, watched: Watched, pages: Mapping[str, str]) -> Part:
    """A Prometheus, not started yet, that asks these pages, and has nothing of the phases' own rules."""
    rules = folder / "prometheus" / "rules"
    rules.mkdir(parents=True)
    (rules / "rules.yml").write_text(json.dumps({"groups": [{"name": "all", "rules": watched.rules}]}))
    asked = {name: address for name, address in pages.items() if name not in watched.unseen}
    return prometheus_part(folder, free_port(), 0, {**asked, **watched.dead})


@contextmanager
def grafana_over(prometheus: str, watched: Watched) -> Iterator[str]:
    """The address of what answers as Grafana does, whose data source is this Prometheus."""
    known = {f"Prometheus {uid}": {"uid": uid, "type": "prometheus", "name": uid} for uid in watched.sources}
    dashboards = [{"uid": "shop", "title": "Shop"}] if watched.panels else []
    where = {uid: address or prometheus for uid, address in watched.sources.items()}

    def answer(path: str) -> tuple[int, str, str]:
        parts = path.partition("?")[0].split("/")
        if path == "/api/health":
            return 200, JSON, '{"database": "ok"}'
        if path == "/api/frontend/settings":
            return 200, JSON, json.dumps({"datasources": known, "defaultDatasource": next(iter(known), "")})
        if path.startswith("/api/search"):
            return 200, JSON, json.dumps(dashboards)
        if path.startswith("/api/dashboards/uid/"):
            return 200, JSON, json.dumps({"dashboard": _dashboard(watched.panels)})
        return _proxied(f"http://{where[parts[5]]}/api/v1/query?{path.partition('?')[2]}")

    server = Answering(answer)
    server.start()
    yield server.address
    server.kill()


def _proxied(url: str) -> tuple[int, str, str]:
    try:
        with opened(url, 5) as found:
            return 200, JSON, found.read().decode()
    except OSError as error:
        return 502, JSON, json.dumps({"message": str(error)})


def _dashboard(panels: Mapping[str, str]) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": UID}
    shown = [
        {"title": title, "type": "timeseries", "datasource": source, "targets": [{"refId": "A", "expr": expression}]}
        for title, expression in panels.items()
    ]
    return {"title": "Shop", "uid": "shop", "panels": [{"type": "row", "panels": shown}]}
