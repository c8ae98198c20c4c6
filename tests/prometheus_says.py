"""Questions to a running Prometheus."""

from workbook.prometheus_api import asked


def values(address: str, query: str) -> dict[str, float]:
    """The value at each instance, or at "" for all together."""
    found = asked(address, "query", query=query)["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}
