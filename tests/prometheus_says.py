"""Questions to a running Prometheus."""

import json
import urllib.parse
import urllib.request
from typing import Any


def asked(address: str, path: str, **arguments: str) -> Any:
    """The data of its answer."""
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def values(address: str, query: str) -> dict[str, float]:
    """The value at each instance, or at "" for all together."""
    found = asked(address, "query", query=query)["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}
