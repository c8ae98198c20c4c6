"""What a system in containers tells of an order at its gateway, and the table of it: phase 4's, with what is new."""

import tomllib
from contextlib import suppress
from typing import Any

import httpx

from tests.buyers import a_customer, at_the_gateway, ordered, put_on_sale
from tests.containers import token_of
from tests.signals import TABLE, Table, Told, problems
from tests.systems import InContainers
from tests.told_so_far import grows, look
from tests.waiting import until
from workbook.compose import ComposeStack
from workbook.phases import ROOT

_OWN: Table = tomllib.loads((ROOT / "phase5-k8s" / "signals.toml").read_text())
_ORDER = "POST /v1/bookings"
ASKED_FOR_KEYS = [{"from": name, "to": "user-service"} for name in ("booking-service", "event-service")]
"""In no trace: keys are asked for beside the calls."""


def whole_table() -> Table:
    """Of the new services, and of everybody's calls."""
    order = _OWN["traces"][_ORDER]
    within = [edge for edge in TABLE["traces"]["confirmed"]["edges"] if edge[0] != "caller"]
    return {
        **_OWN,
        "calls": [row for row in (*TABLE["calls"], *_OWN["calls"]) if row not in ASKED_FOR_KEYS],
        "messages": TABLE["messages"],
        "traces": {_ORDER: {**order, "edges": [*order["edges"], *within]}},
    }


def told_of_an_order(stack: ComposeStack) -> Told:
    """Somebody puts an event on sale, another registers, signs in and orders."""
    system, table, traces = InContainers(stack), whole_table(), dict[str, str]()
    before, token = grows(system, table), token_of(stack)
    assert token

    def noted(answer: httpx.Response) -> None:
        asked: Any = answer.request
        traces[f"{asked.method} {asked.url.path}"] = answer.headers["traceparent"].split("-")[1]

    with at_the_gateway(stack) as gateway:
        gateway.event_hooks["response"] = [noted]
        event_id = put_on_sale(gateway, {"Authorization": f"Bearer {token()}"})
        assert ordered(gateway, event_id, a_customer(gateway)).status_code == 201
    with suppress(AssertionError):  # what is missing then is the test's to say
        until(lambda: problems(look(system, traces, before, table), table) == [])
    return look(system, traces, before, table)
