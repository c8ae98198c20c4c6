"""What a test asks the Prometheus of a local stack."""

import json
import urllib.parse
import urllib.request
from typing import Any

from workbook.stack import LocalStack


def asked(stack: LocalStack, path: str, **arguments: str) -> Any:
    """What Prometheus answers."""
    url = f"http://{stack['prometheus'].address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def values(stack: LocalStack, query: str) -> dict[str, float]:
    """The value at each instance, or at "" for all together."""
    found = asked(stack, "query", query=query)["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}
