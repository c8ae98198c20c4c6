"""Headless Chromium on a box office, and what must be true of every page that a test has seen."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from workbook.needs import CHROMIUM

PATIENCE = 30_000  # milliseconds
_VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""
_REFUSED = "Failed to load resource"  # what Chromium writes of every answer that is no success


@dataclass
class Seen:
    """A page, and what its console said."""

    page: Page
    said: list[str] = field(default_factory=list)

    async def violations(self) -> list[str]:
        """What the content policy kept from happening since the page was loaded."""
        found: list[str] = await self.page.evaluate("window.violations")
        return found

    def note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_REFUSED):
            self.said.append(message.text)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    path = next(found for name in CHROMIUM if (found := shutil.which(name)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
        yield browser
        await browser.close()


@asynccontextmanager
async def seen(browser: Browser, url: str, width: int = 1280) -> AsyncIterator[Seen]:
    """A new visitor's page at `url`. At the end neither the console nor the content policy had anything to say."""
    context = await browser.new_context(
        base_url=url, viewport={"width": width, "height": 800}, timezone_id="Europe/Istanbul", locale="en-GB"
    )
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(_VIOLATIONS)
    here = Seen(await context.new_page())
    here.page.on("console", here.note)
    here.page.on("pageerror", lambda error: here.said.append(str(error)))
    await here.page.goto("/")
    yield here
    assert (here.said, await here.violations()) == ([], [])
    await context.close()
