"""A dashboard around one panel, as Grafana takes it from a file."""

import re
from typing import Any

DATA_SOURCE = {"type": "prometheus", "uid": "prometheus"}
"""The one that phase 4 provisions; its uid is fixed, its name is for people."""


def dashboard_of(panel: dict[str, Any], title: str = "Mine") -> dict[str, Any]:
    """What a file in Grafana's folder of dashboards holds, as JSON; its uid is made of its title."""
    return {
        "uid": re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"),
        "title": title,
        "tags": ["lesson-4"],
        "schemaVersion": 42,
        "editable": False,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "panels": [{"id": 1, **panel}],
    }
