"""The box office as people use it: headless Chromium on a whole system, its processes and its traces real."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect
from tests.browsers import Seen, chromium, seen

from workbook.needs import needs
from workbook.stack import LocalStack

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse battery"
ADMIN = {"email": "admin@example.com", "password": PASSWORD}
CHEAP = {"HASH_TIME_COST": "1", "HASH_MEMORY_COST": "8", "HASH_PARALLELISM": "1"}
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100", "WATCH_INTERVAL": "0.02", "SIGN_IN_RATE": "1000/minute"}
HOSTILE = "<img src=x onerror=alert(1)><b>Jazz</b>"
STEPS = ["Gateway", "Booking service", "Event service", "PostgreSQL", "Outbox", "Kafka", "Counted"]


@dataclass
class Office:
    """The system, a client that may put events on sale, and a browser."""

    stack: LocalStack
    client: httpx.AsyncClient
    browser: Browser

    @asynccontextmanager
    async def visited(self, width: int = 1280) -> AsyncIterator[Seen]:
        async with seen(self.browser, str(self.client.base_url), width) as here:
            yield here

    async def event(self, capacity: int = 40, name: str = "Jazz night", **changed: Any) -> str:
        starts_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        new = {"name": name, "kind": "concert", "starts_at": starts_at, "venue": "Babylon", "capacity": capacity}
        made = await self.client.post("/v1/events", json=new | changed)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def left(self, event_id: str) -> int:
        return int((await self.client.get(f"/v1/events/{event_id}")).json()["available_tickets"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office() -> AsyncIterator[Office]:
    needs("chromium")
    stack = LocalStack(5, kafka="embedded", environment=CHEAP | QUICK)
    await asyncio.to_thread(stack.start)
    try:
        await asyncio.to_thread(stack.step, "make-admin", **{f"ADMIN_{name.upper()}": of for name, of in ADMIN.items()})
        url = f"http://{stack['api-gateway'].address}"
        async with httpx.AsyncClient(base_url=url, timeout=30) as client, chromium() as browser:
            session = (await client.post("/v1/sessions", json=ADMIN)).json()
            client.headers["Authorization"] = f"Bearer {session['access_token']}"
            yield Office(stack, client, browser)
    finally:
        await asyncio.to_thread(stack.stop)


async def sign_in(page: Page, email: str) -> None:
    """As somebody who is new; `email` may be known."""
    await page.locator("#account").get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="I have no account yet").click()
    for label, value in (("Your name", "Ada"), ("E-mail", email), ("Password", PASSWORD)):
        await dialog.get_by_label(label).fill(value)
    await dialog.get_by_role("button", name="Register").click()
    await expect(page.locator("#account")).to_contain_text("Ada")


def somebody() -> str:
    return f"{uuid.uuid4().hex}@example.com"


async def go(page: Page, event_id: str) -> Locator:
    """To an event's page; returns the counter of tickets left once it is live."""
    await page.goto(f"/#/events/{event_id}")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    return page.locator("#left")


async def test_a_newcomer_books_follows_the_booking_and_cancels_it(office: Office) -> None:
    event_id = await office.event(40)
    async with office.visited() as here:
        page = here.page
        await sign_in(page, somebody())
        left = await go(page, event_id)
        await page.get_by_label("Tickets", exact=True).select_option("2")
        await page.get_by_role("button", name="Book", exact=True).click()
        await expect(page.get_by_text("Booked: 2 tickets for Jazz night.")).to_be_visible()
        await expect(left).to_have_text("38")  # nobody loaded the page again
        await expect(page.locator(".steps li.done .title")).to_have_text([f"{step}: done" for step in STEPS])
        await expect(page.locator(".steps")).to_contain_text(re.compile(r"partition \d, offset \d"))
        await expect(page.locator(".steps")).to_contain_text("set 2 tickets aside")
        await expect(page.locator(".summary")).to_contain_text("Counted")

        await page.get_by_role("link", name="My bookings").click()
        mine = page.locator(".mine")
        await expect(mine).to_have_count(1)
        await expect(mine).to_contain_text("Confirmed")
        await mine.get_by_role("button", name="Cancel").click()
        assert await office.left(event_id) == 38  # it asks first
        await mine.get_by_role("button", name="Yes, give 2 tickets back").click()
        await expect(mine).to_contain_text("Cancelled")
        assert await office.left(event_id) == 40


async def test_a_flash_sale_sells_all_there_is_and_never_more(office: Office) -> None:
    event_id = await office.event(7)
    async with office.visited() as here:
        page = here.page
        await sign_in(page, somebody())
        left = await go(page, event_id)
        await page.evaluate(
            """() => {
                window.numbers = [];
                const left = document.getElementById("left");
                new MutationObserver(() => window.numbers.push(left.textContent)).observe(left, { childList: true });
            }"""
        )
        await page.get_by_label("Orders", exact=True).fill("24")
        await page.get_by_role("button", name="Start the sale").click()
        await expect(page.locator("#tally-sold")).to_have_text("7")
        await expect(page.locator("#tally-soldOut")).to_have_text("17")
        await expect(page.locator("#tally-errors")).to_have_text("0")
        await expect(left).to_have_text("0")
        await expect(page.locator("#tally-lowest")).to_have_text("0")
        numbers = [int(number) for number in await page.evaluate("window.numbers")]
        assert numbers == sorted(numbers, reverse=True)  # it fell, while one looked on
        assert (len(numbers) > 1, min(numbers)) == (True, 0)
    assert await office.left(event_id) == 0


async def test_what_an_event_is_called_is_text(office: Office) -> None:
    event_id = await office.event(40, HOSTILE, venue="<script>alert(2)</script>")
    async with office.visited() as here:
        page, main = here.page, here.page.get_by_role("main")
        await page.get_by_label("Venue", exact=True).fill("<script>")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("a.ticket strong")).to_have_text([HOSTILE])
        await sign_in(page, somebody())
        await go(page, event_id)
        await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
        await page.get_by_role("button", name="Book", exact=True).click()
        await expect(page.get_by_text(f"Booked: 1 ticket for {HOSTILE}")).to_be_visible()
        await page.get_by_role("link", name="My bookings").click()
        await expect(main.get_by_role("link", name=HOSTILE)).to_be_visible()
        assert await main.locator("img, script").count() == 0


async def test_the_content_policy_stops_what_a_careless_page_would_let_in(office: Office) -> None:
    """The control of what is seen of every page: here the name is markup, and the policy has to say so."""
    async with office.visited() as here:
        await here.page.evaluate("name => { document.querySelector('main').innerHTML = name; }", HOSTILE)
        await here.page.wait_for_function("window.violations.length > 0")
        assert set(await here.violations()) <= {"script-src-attr", "img-src"}
        await here.page.evaluate("window.violations = []")
        here.said.clear()


async def test_a_ticket_is_booked_with_the_keyboard_alone(office: Office) -> None:
    event_id, email = await office.event(40), somebody()
    async with office.visited() as here:
        page, keys = here.page, here.page.keyboard
        await sign_in(page, email)
        await page.reload()  # still signed in
        await expect(page.locator("#account")).to_contain_text("Ada")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await keys.press("Enter")
        await tab_to(page, f'a[href="#/events/{event_id}"]')
        await keys.press("Enter")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await tab_to(page, "form select")
        await keys.press("3")
        await tab_to(page, "form button")
        await keys.press("Enter")
        await expect(page.get_by_text("Booked: 3 tickets")).to_be_visible()
        assert await page.evaluate("document.activeElement.textContent") == "Book"  # one goes on from where one was
    assert await office.left(event_id) == 37


async def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until what is meant has the focus, which must be seen on it."""
    await page.locator(selector).first.wait_for()
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("selector => document.activeElement.matches(selector)", selector):
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) == "solid"
            return
    raise AssertionError(f"{selector} cannot be reached")


async def test_a_phone_needs_no_scrolling_sideways_and_no_small_fingers(office: Office) -> None:
    event_id = await office.event(40, "W" * 120)
    async with office.visited(width=360) as here:
        page = here.page
        await fits(page, "a.ticket")
        await sign_in(page, somebody())
        await go(page, event_id)
        await page.get_by_role("button", name="Book", exact=True).click()
        await fits(page, ".steps li.done:last-child")
        await page.get_by_role("link", name="My bookings").click()
        await fits(page, ".mine")
        await page.goto("/#/sell")
        await fits(page, "h1")


async def fits(page: Page, shown: str) -> None:
    await page.locator(shown).first.wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    small = await page.evaluate(
        """() => [...document.querySelectorAll("button, nav a, main a, input:not([type=checkbox]), select, summary")]
            .filter((each) => each.getClientRects().length && each.getBoundingClientRect().height < 44)
            .map((each) => each.outerHTML)"""
    )
    assert small == []


async def test_a_booking_service_that_is_away_is_told_in_words_and_trying_again_books_once(office: Office) -> None:
    event_id, booking = await office.event(40), office.stack["booking-service"]
    async with office.visited() as here:
        page = here.page
        await sign_in(page, somebody())
        left = await go(page, event_id)
        sent: list[str] = []
        page.on("request", lambda request: sent.extend(of for name, of in request.headers.items() if "idem" in name))
        booking.kill()
        await page.get_by_role("button", name="Book", exact=True).click()
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("Part of the box office is away for a moment.")
        await expect(alert.locator("code")).to_have_text(re.compile("^[0-9a-f]{32}$"))
        await asyncio.to_thread(booking.start)
        await ready(office)

        await page.route("**/v1/bookings", answer_lost, times=1)
        await alert.get_by_role("button", name="Try again").click()
        await expect(alert).to_contain_text("cannot be reached")  # but it was booked
        await expect(left).to_have_text("39")
        await alert.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("Booked: 1 ticket")).to_be_visible()
        assert (await office.left(event_id), len(sent), len(set(sent))) == (39, 3, 1)

        await page.get_by_role("button", name="Book", exact=True).click()  # the control: this is another order
        await expect(left).to_have_text("38")
        assert len(set(sent)) == 2


async def answer_lost(route: Route) -> None:
    """The order arrives, its answer does not."""
    await route.fetch()
    await route.abort()


async def ready(office: Office) -> None:
    for _ in range(600):
        if (await office.client.get("/readyz")).status_code == 200:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the gateway does not become ready")


async def test_an_organiser_puts_an_event_on_sale_and_others_do_not(office: Office) -> None:
    async with office.visited() as here:
        page = here.page
        await expect(page.get_by_role("link", name="Put on sale")).to_be_hidden()
        await page.locator("#account").get_by_role("button", name="Sign in").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("E-mail").fill(ADMIN["email"])
        await dialog.get_by_label("Password", exact=True).fill("another password")
        await page.keyboard.press("Enter")
        await expect(dialog.get_by_role("alert")).to_contain_text("E-mail and password do not match.")
        await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="Put on sale").click()
        await page.get_by_label("Name", exact=True).fill("Opening night")
        await page.get_by_label("Venue", exact=True).fill("Zorlu PSM")
        await page.get_by_label("Tickets", exact=True).fill("25")
        await page.get_by_role("button", name="Put on sale").click()
        await expect(page.get_by_role("heading", name="Opening night")).to_be_visible()
        await expect(page.locator("#left")).to_have_text("25")

        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("link", name="Put on sale")).to_be_hidden()
        assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        await page.reload()
        await expect(page.locator("#account")).to_contain_text("Sign in")


@dataclass
class Held:
    """An answer that is there, and comes only when it may."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    given: dict[str, Any] = field(default_factory=dict)

    async def handle(self, route: Route) -> None:
        answer = await route.fetch()
        self.given = await answer.json()
        self.asked.set()
        await self.goes_on.wait()
        await route.fulfill(response=answer)


@pytest.mark.parametrize("signs_out", [True, False])
async def test_a_renewal_under_way_signs_nobody_in_again(office: Office, *, signs_out: bool) -> None:
    held = Held()
    async with office.visited() as here:
        page, account = here.page, here.page.locator("#account")
        await sign_in(page, somebody())
        await page.route("**/v1/bookings?*", lambda route: route.fulfill(status=401), times=1)
        await page.route("**/v1/sessions/refresh", held.handle, times=1)
        await page.get_by_role("link", name="My bookings").click()
        await held.asked.wait()
        if signs_out:
            await page.get_by_role("button", name="Sign out").click()
            await expect(account).to_contain_text("Sign in")
        async with page.expect_event("requestfinished", lambda request: request.url.endswith("/refresh")):
            held.goes_on.set()
        await page.evaluate("new Promise((done) => setTimeout(done, 200))")  # whatever comes of it has come of it
        await expect(account).to_contain_text("Sign in" if signs_out else "Ada")
        assert await page.evaluate("sessionStorage.length") == (0 if signs_out else 1)  # and the control
    tried = await office.client.post("/v1/sessions/refresh", json={"refresh_token": held.given["refresh_token"]})
    assert tried.status_code == (401 if signs_out else 200)


async def test_who_signs_in_stays_though_the_session_before_is_renewed(office: Office) -> None:
    held = Held()
    async with office.visited() as here:
        page, account = here.page, here.page.locator("#account")
        await sign_in(page, somebody())
        await page.route("**/v1/sessions/refresh", held.handle, times=1)
        await page.reload()
        await held.asked.wait()
        await account.get_by_role("button", name="Sign in").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("E-mail").fill(ADMIN["email"])
        await dialog.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="Put on sale")).to_be_visible()
        async with page.expect_response(lambda answer: answer.request.method == "DELETE") as given_back:
            held.goes_on.set()
        assert (await given_back.value).status == 204
        await expect(account).not_to_contain_text("Ada")
        await expect(page.get_by_role("link", name="Put on sale")).to_be_visible()
    tried = await office.client.post("/v1/sessions/refresh", json={"refresh_token": held.given["refresh_token"]})
    assert tried.status_code == 401


async def test_events_are_found_by_kind_venue_date_and_tickets_left(office: Office) -> None:
    for number in range(13):
        await office.event(5, f"Final {number}", kind="match", venue="Saracoglu")
    far = (datetime.now(UTC) + timedelta(days=900)).isoformat()
    sold_out = await office.event(1, "Far away", kind="match", starts_at=far, venue="Saracoglu")
    bought = {"event_id": sold_out, "ticket_count": 1}
    await office.client.post("/v1/bookings", json=bought, headers={"Idempotency-Key": uuid.uuid4().hex})
    async with office.visited() as here:
        page, found = here.page, here.page.locator("a.ticket")
        await page.get_by_label("Venue", exact=True).fill("saracog")
        await page.get_by_label("Kind", exact=True).select_option("match")
        await expect(found).to_have_count(12)
        await page.get_by_role("button", name="Show more").click()
        await expect(found).to_have_count(14)
        await expect(found.last).to_contain_text("Sold out")
        await page.get_by_label("Tickets left", exact=True).check()
        await expect(found).to_have_count(12)
        await page.get_by_role("button", name="Show more").click()
        await expect(found).to_have_count(13)
        await page.get_by_label("From", exact=True).fill((datetime.now(UTC) + timedelta(days=800)).date().isoformat())
        await page.get_by_role("button", name="Search").click()
        await expect(page.get_by_text("Nothing is on that fits.")).to_be_visible()
        await page.get_by_label("Tickets left", exact=True).uncheck()
        await expect(found).to_have_count(1)
