"""Somebody who guesses passwords at a gateway, from one address or from many."""

import secrets
from collections.abc import Iterable

import httpx

from workbook.props.people import client_of


async def guesses(gateway: str, addresses: Iterable[str], account: str = "") -> list[httpx.Response]:
    """The answers to one sign-in from each address, one after the other; each tries another account, or all the same.

    The gateway has to trust this machine as a proxy: else all come from here. Nobody has these accounts, which a
    service that does its work well does not let on.
    """
    run = secrets.token_hex(6)
    answers = []
    async with client_of(gateway) as client:
        for number, address in enumerate(addresses):
            wanted = {"email": f"{account or number}-{run}@example.com", "password": "123456789"}
            answers.append(await client.post("/v1/sessions", json=wanted, headers={"X-Forwarded-For": address}))
    return answers
