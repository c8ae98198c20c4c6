"""The services, and a gateway before them, for all tests of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.shops import UNLIMITED, Shop, open_shop

from workbook.part import Part


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(postgres: Part, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("keys")
    async with open_shop(postgres, folder) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """Of a gateway with limits that no test reaches."""
    async with shop.gateway(**UNLIMITED) as opened:
        yield opened
