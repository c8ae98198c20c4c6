"""5.2 The gateway serves REST to those who may, and to nobody too often."""

import pytest
from checklist.asking import Answer
from checklist.gateway import ADDITION, BOOKINGS, EVENTS, Gateway
from checklist.people import Person

from workbook.checks.verdict import expect, not_run

EVIL = "https://evil.example"
HEADERS = ("x-content-type-options", "content-security-policy", "x-frame-options", "referrer-policy", "cache-control")


def test_alive(gateway: Gateway) -> None:
    """It says that it is alive."""
    answer = gateway.ask("GET", "/healthz")
    if answer.is_missing:
        not_run(f"needs GET /healthz: {ADDITION}")
    answer.refused(200, todo="answer 200 while the process lives, whoever else is away")


@pytest.mark.parametrize("header", HEADERS)
def test_headers(gateway: Gateway, ada: Person, header: str) -> None:
    """Every answer carries what keeps browsers from doing more than is meant."""
    answers = _answers(gateway, ada)
    bare = [answer.asked for answer in answers if header not in answer.headers]
    if not any(name in answer.headers for answer in answers for name in HEADERS[:-1]):
        not_run(f"needs headers for browsers, such as X-Content-Type-Options: {ADDITION}")
    expect(not bare, f"{header} is not in the answers to {', '.join(bare)}", "set it in one place, before all routes")
    kept = [answer.asked for answer in answers if "public" in answer.headers.get("cache-control", "")]
    expect(
        not kept, f"proxies may keep the answers to {', '.join(kept)}", "Cache-Control: no-store for what is one's own"
    )


def _answers(gateway: Gateway, ada: Person) -> list[Answer]:
    own = gateway.ask("GET", BOOKINGS, "of one's own", token=ada.token)
    return [own, gateway.ask("GET", EVENTS), gateway.ask("GET", "/v1/no-such-thing"), gateway.ask("GET", BOOKINGS)]


def test_other_sites(gateway: Gateway, ada: Person) -> None:
    """Pages of other sites may not ask."""
    preflight = {"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    for answer in (
        gateway.ask("OPTIONS", BOOKINGS, "from another site", headers=preflight),
        gateway.ask("GET", BOOKINGS, "from another site", token=ada.token, headers={"Origin": EVIL}),
    ):
        allowed = answer.headers.get("access-control-allow-origin", "")
        expect(
            allowed not in {"*", EVIL, "null"}, f"{answer.told()}, and allows {allowed}", "name the sites that may ask"
        )
