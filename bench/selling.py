"""One seller at work: `python -m bench.selling SELLER ADDRESS EVENT IN_FLIGHT`, buyers' numbers on standard input.

It prints "ready", then for each buyer who got an answer a line with the number and "yes" or "no".
"""

import asyncio
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

Sell: TypeAlias = Callable[[int], Awaitable[bool]]
"""Sells to one buyer, who is told yes (True: confirmed) or no. The same buyer may come again after a crash."""

Seller: TypeAlias = Callable[[str, str], AbstractAsyncContextManager[Sell]]
"""Opens what it needs: (address of PostgreSQL, id of the event)."""


async def sell_to_all(seller: Seller, address: str, event: str, in_flight: int, buyers: Iterator[int]) -> None:
    async with seller(address, event) as sell:
        print("ready", flush=True)
        await asyncio.gather(*(_serve(buyers, sell) for _ in range(in_flight)))


async def _serve(buyers: Iterator[int], sell: Sell) -> None:
    for buyer in buyers:  # shared: whoever is free serves the next one
        print(buyer, "yes" if await sell(buyer) else "no", flush=True)


if __name__ == "__main__":
    name, postgres, event_id, most = sys.argv[1:]
    everyone = map(int, sys.stdin.read().split())
    asyncio.run(sell_to_all(pkgutil.resolve_name(name), postgres, event_id, int(most), everyone))
