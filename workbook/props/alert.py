"""A learner's own rules in the Prometheus of a running stack, and what becomes of an alert."""

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

from workbook.prometheus_api import asked
from workbook.stack import LocalStack

INACTIVE, PENDING, FIRING = "inactive", "pending", "firing"
_GLANCE = 0.2  # seconds
_ORDER = (INACTIVE, PENDING, FIRING)
_FILE = "learner.yml"


async def install(stack: LocalStack, rules: str) -> None:
    """From now on Prometheus works out these rules, in place of those installed before.

    Raises ValueError with Prometheus' words when it does not take them; then those before stay.
    """
    file = stack.folder / "prometheus" / "rules" / _FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text() if file.exists() else None
    file.write_text(rules)
    if problem := await asyncio.to_thread(_reload, stack["prometheus"].address):
        file.unlink() if before is None else file.write_text(before)
        await asyncio.to_thread(_reload, stack["prometheus"].address)
        raise ValueError(_in_the_log(stack, problem))


async def state_of(stack: LocalStack, alert: str) -> str:
    """The worst of its instances; raises LookupError when Prometheus has no such alert."""
    groups = (await asyncio.to_thread(asked, stack["prometheus"].address, "rules", type="alert"))["groups"]
    states: list[str] = [rule["state"] for group in groups for rule in group["rules"] if rule["name"] == alert]
    if not states:
        raise LookupError(f"Prometheus has no alert {alert}")
    return max(states, key=_ORDER.index)


async def changes(stack: LocalStack, alert: str, patience: float = 90) -> AsyncIterator[tuple[float, str]]:
    """The alert's state now, then each new one, with the seconds since the first; TimeoutError when none comes."""
    began, known = time.monotonic(), ""
    while True:
        async with asyncio.timeout(patience):
            while (state := await state_of(stack, alert)) == known:  # noqa: ASYNC110 - Prometheus only tells who asks
                await asyncio.sleep(_GLANCE)
        known = state
        yield time.monotonic() - began, state


async def until(stack: LocalStack, alert: str, wanted: str, patience: float = 90) -> list[tuple[float, str]]:
    """The states that it went through until it is `wanted`, with their seconds."""
    seen: list[tuple[float, str]] = []
    async for at, state in changes(stack, alert, patience):
        seen.append((at, state))
        if state == wanted:
            break
    return seen


def _in_the_log(stack: LocalStack, problem: str) -> str:
    """The answer to a reload only says that something is wrong; the log says what."""
    lines = [line for line in stack["prometheus"].log_tail().splitlines() if _FILE in line and "err=" in line]
    return lines[-1].partition("err=")[2].strip('"') if lines else problem


def _reload(address: str) -> str:
    """What Prometheus has against its files; empty when it took them."""
    try:
        with urllib.request.urlopen(f"http://{address}/-/reload", data=b"", timeout=10):
            return ""
    except urllib.error.HTTPError as refused:
        return refused.read().decode(errors="replace").strip()
