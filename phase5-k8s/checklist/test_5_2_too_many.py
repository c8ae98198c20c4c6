"""5.2 The gateway serves REST to those who may, and to nobody too often."""

import pytest
from checklist.gateway import Gateway
from checklist.people import People, Person
from checklist.rush import PRETENDED, Rush

from workbook.checks.verdict import expect, not_run


@pytest.fixture(scope="module")
def rush(gateway: Gateway, people: People, ada: Person) -> Rush:
    """One who asks too often; somebody else where there are accounts, so that nobody has to wait for it."""
    return Rush(gateway, people.new() if people.have_accounts else ada).go()


def test_limit(rush: Rush) -> None:
    """Who asks too often is told so, with 429."""
    if rush.refusal is None and rush.limit and rush.was_slow:
        not_run(f"needs a limit that {rush.sent} requests in {rush.seconds:.0f} s are above: lower it for this check")
    told = f", though it told of a limit of {rush.limit}" if rush.limit else ""
    said = f"{rush.sent} requests of one user in {rush.seconds:.1f} s, and none was refused{told}"
    expect(rush.refusal is not None, said, "limit requests by user, and by address: answer 429")


def test_retry_after(rush: Rush) -> None:
    """… and when to go on."""
    if rush.refusal is None:
        not_run("needs a limit of requests, see above")
    wait = rush.refusal.headers.get("retry-after", "")
    if not wait and not rush.limit:
        not_run("needs Retry-After in a 429: an addition to the roadmap, see phase5-k8s/README.md")
    right = wait.isdecimal() and 0 < int(wait) <= 3600
    expect(right, f"a 429 has Retry-After: {wait!r}", "say there in how many seconds it goes on")


def test_others(rush: Rush, gateway: Gateway, bob: Person) -> None:
    """… while others go on."""
    if rush.refusal is None:
        not_run("needs a limit of requests, see above")
    if not rush.limit:
        not_run("needs limits that are told in RateLimit: an addition to the roadmap, see phase5-k8s/README.md")
    other = gateway.ask("GET", rush.path, "of another user meanwhile", token=bob.token)
    todo = "count each user apart: one who asks too often must not keep all others out"
    expect(other.status != 429, other.told(), todo)


def test_no_way_around(rush: Rush) -> None:
    """… and no header that one makes up helps."""
    if rush.refusal is None:
        not_run("needs a limit of requests, see above")
    said = f"after a 429, {PRETENDED} requests with addresses made up in X-Forwarded-For got through"
    expect(rush.got_through < PRETENDED, said, "read that header from a proxy of your own alone")
