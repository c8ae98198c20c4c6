"""A channel to a server that is away: it keeps looking."""

import asyncio

from chassis.channel import open_channel

from tests.waiting import until_async

OFTEN = 8  # by gRPC's own defaults the eighth look would come after 40 s, and after an hour's outage one in two minutes


async def test_a_server_that_is_away_is_looked_for_every_second() -> None:
    looks = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        looks += 1
        writer.close()

    async def often() -> bool:
        channel.get_state(try_to_connect=True)
        return looks >= OFTEN

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as nobody:
        host, port = nobody.sockets[0].getsockname()
        async with open_channel(f"{host}:{port}", deadline_limit=1) as channel:
            await until_async(often, patience=15)
