"""A Grafana, asked over its HTTP API: its data sources, its dashboards, and what a panel's expression comes to.

It is asked as anybody who comes along, or as GRAFANA_USER with GRAFANA_PASSWORD where these are set.
"""

import base64
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

from workbook.checks.parts import opened
from workbook.checks.verdict import Wrong, not_run

_REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_SPANS = {"__rate_interval": "1m", "__interval": "1m", "__range": "1h", "__interval_ms": "60000", "__range_s": "3600"}
_ALL = {"$__all", "All", ""}
_LABELS = re.compile(r"label_values\((.*),\s*(\w+)\)")


@dataclass(frozen=True, slots=True)
class Panel:
    """`expressions` are what it asks Prometheus for, with the dashboard's variables in their places."""

    dashboard: str
    title: str
    source: str
    expressions: tuple[str, ...]


class Grafana:
    def __init__(self, address: str, patience: float) -> None:
        self._address = address
        self._patience = patience

    def sources(self) -> dict[str, str]:
        """The uid of each data source for Prometheus, by its name; the default one first."""
        found = self._asked("/api/frontend/settings")
        known = [each for each in found["datasources"].values() if each.get("type") == "prometheus"]
        known.sort(key=lambda each: each.get("name") != found.get("defaultDatasource"))
        return {each["name"]: each["uid"] for each in known}

    def panels(self) -> list[Panel]:
        """The panels of all dashboards that ask Prometheus for something."""
        found = [each["uid"] for each in self._asked("/api/search?type=dash-db&limit=500")]
        dashboards = [self._asked(f"/api/dashboards/uid/{urllib.parse.quote(uid)}")["dashboard"] for uid in found]
        return [panel for dashboard in dashboards for panel in _panels_of(dashboard, self._values(dashboard))]

    def query(self, source: str, expression: str) -> list[Any]:
        """What a data source answers to an expression, through Grafana; raises OSError where it does not answer."""
        asked = urllib.parse.urlencode({"query": expression})
        path = f"/api/datasources/proxy/uid/{urllib.parse.quote(source)}/api/v1/query?{asked}"
        found = self._answer(path)["data"]
        return [found["result"]] if found["resultType"] in {"scalar", "string"} else list(found["result"])

    def _values(self, dashboard: Mapping[str, Any]) -> dict[str, str]:
        """What each of its variables stands for."""
        return {each["name"]: self._value(each) for each in dashboard.get("templating", {}).get("list", ())}

    def _value(self, variable: Mapping[str, Any]) -> str:
        """What is chosen; where nothing is, the first of what there is to choose from, or a pattern that fits all."""
        value = variable.get("current", {}).get("value", "")
        values = [str(each) for each in (value if isinstance(value, list) else [value])]
        asked = variable.get("query", "")
        labels = _LABELS.fullmatch(str(asked.get("query", "") if isinstance(asked, dict) else asked).strip())
        source = variable.get("datasource") or {}
        if not set(values) <= _ALL:
            return "|".join(values)
        if labels is None or variable.get("includeAll") or not isinstance(source, dict):
            return ".*"
        try:
            found = self.query(source.get("uid", ""), f"group by ({labels[2]}) ({labels[1]})")
        except (OSError, HTTPException, ValueError, KeyError):
            return ".*"
        return min((each["metric"].get(labels[2], "") for each in found), default=".*")

    def _asked(self, path: str) -> Any:
        """Wrong if it does not answer; no verdict if we may not ask."""
        try:
            return self._answer(path)
        except (OSError, HTTPException, ValueError, KeyError) as error:
            if isinstance(error, urllib.error.HTTPError) and error.code in _REFUSALS:
                not_run("needs a Grafana that we may read: GRAFANA_USER and GRAFANA_PASSWORD, or anonymous viewers")
            said = f"Grafana at {self._address} did not answer {path} ({error})"
            raise Wrong(said, "give the address of a Grafana, and read its log") from error

    def _answer(self, path: str) -> Any:
        asking = urllib.request.Request(f"http://{self._address}{path}", headers=_who())
        with opened(asking, self._patience) as answer:
            return json.load(answer)


def _who() -> dict[str, str]:
    user, password = os.environ.get("GRAFANA_USER"), os.environ.get("GRAFANA_PASSWORD", "")
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"} if user else {}


def _panels_of(dashboard: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Panel]:
    for panel in _flat(dashboard):
        asked = [each["expr"] for each in panel.get("targets") or () if each.get("expr")]
        if asked:
            source = panel.get("datasource") or panel["targets"][0].get("datasource") or ""
            uid = source.get("uid", "") if isinstance(source, dict) else source
            expressions = tuple(_filled(expression, values) for expression in asked)
            yield Panel(dashboard.get("title", ""), panel.get("title", ""), _filled(uid, values), expressions)


def _flat(holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Panels, also those in rows that are folded."""
    for panel in holder.get("panels") or ():
        yield panel
        yield from _flat(panel)


def _filled(text: str, values: Mapping[str, str]) -> str:
    known = {**_SPANS, **values}
    return re.sub(
        r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]",
        lambda found: known.get(found[1] or found[2] or found[3], found[0]),
        text,
    )
