"""The contract and the gateway are held against each other by schemathesis: good data, bad data, the same each time."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest
from api_gateway import events
from tests.shops import Shop

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]

EXAMPLES = 4
# A schema cannot say that an event lies ahead, that a page token was given out, or which time zones there are: what is
# right by the schema may be refused by name. It may not be met with a 400, a 415 or a 500.
SETTINGS = """\
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422"]
"""


async def found(client: httpx.AsyncClient, shop: Shop, folder: Path, *options: str) -> tuple[int, str]:
    """What schemathesis finds as an organiser who has an account: its exit status and its report."""
    account = {"email": f"{folder.name}@example.com", "password": "correct horse battery", "name": "Ada"}
    user = (await client.post("/v1/users", json=account)).json()["id"]
    token = shop.headers("organiser", "customer", user=user)["Authorization"]
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS)
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"),
        *(f"{client.base_url}/openapi.json", "--header", f"Authorization: {token}", "--no-color"),
        *("--exclude-path-regex", "availability$"),  # a stream has no end that could be waited for
        *("--phases", "examples,coverage,fuzzing", "--mode", "all", "--checks", "all", "--continue-on-failure"),
        *("--max-examples", str(EXAMPLES), "--seed", "20261", "--generation-database", "none", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await ran.communicate()
    return ran.returncode or 0, said.decode()


async def test_nothing_is_found(client: httpx.AsyncClient, shop: Shop, tmp_path: Path) -> None:
    status, said = await found(client, shop, tmp_path)
    assert status == 0, said
    assert "17 selected / 18 total" in said


async def test_an_answer_that_the_contract_does_not_know_is_found(
    client: httpx.AsyncClient, shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.event(client)
    monkeypatch.setattr(events, "shown", lambda event: {"id": event.id, "capacity": "many"})
    only = ("--include-operation-id", "list_events_v1_events_get", "--phases", "examples,coverage")
    status, said = await found(client, shop, tmp_path, *only)
    assert status == 1, said
    assert "Response violates schema" in said
