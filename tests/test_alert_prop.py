"""A learner's rules in a running Prometheus: taken, refused, and an alert followed from quiet to firing and back."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from workbook.needs import needs
from workbook.ports import free_port
from workbook.prometheus import prometheus_part
from workbook.props.alert import FIRING, INACTIVE, PENDING, install, state_of, until
from workbook.stack import LocalStack

RULES = "groups: [{{name: mine, rules: [{{alert: {}, expr: 'up{{job=\"shop\"}} == 0', for: 1s}}]}}]"


@pytest.fixture
def shop() -> int:
    return free_port()


@pytest.fixture
def stack(tmp_path: Path, shop: int) -> Iterator[LocalStack]:
    """Prometheus alone, which asks a shop that is closed."""
    needs("prometheus")
    stack = LocalStack(4, kafka="embedded")
    stack.folder = tmp_path
    part = stack.parts["prometheus"] = prometheus_part(tmp_path, free_port(), 4, {"shop": f"127.0.0.1:{shop}"})
    part.start()
    yield stack
    part.stop()


async def test_an_alert_is_followed_from_quiet_to_firing_and_back(stack: LocalStack, shop: int) -> None:
    await install(stack, RULES.format("Closed"))
    seen = [state for _, state in await until(stack, "Closed", FIRING, patience=20)]
    assert seen in ([INACTIVE, PENDING, FIRING], [PENDING, FIRING])
    with pages_at(shop):
        seen = [state for _, state in await until(stack, "Closed", INACTIVE, patience=20)]
    assert seen == [FIRING, INACTIVE]


async def test_rules_that_are_refused_leave_those_before(stack: LocalStack) -> None:
    await install(stack, RULES.format("Closed"))
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        await install(stack, RULES.format("Other").replace("up{", "max(up{"))
    assert await state_of(stack, "Closed")
    with pytest.raises(LookupError):
        await state_of(stack, "Other")


@contextmanager
def pages_at(port: int) -> Iterator[None]:
    """A shop that is open: an empty page of figures for whoever asks."""
    with http.server.HTTPServer(("127.0.0.1", port), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass
