"""One question to a running Prometheus, over its HTTP API."""

import json
import urllib.parse
import urllib.request
from typing import Any


def asked(address: str, path: str, **arguments: object) -> Any:
    """The data of the answer to /api/v1/`path`; raises OSError when it is away, as HTTPError when it refuses."""
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]
