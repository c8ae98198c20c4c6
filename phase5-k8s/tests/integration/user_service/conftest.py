from collections.abc import AsyncIterator

import pytest
from tests.users import Users, running
from user_service.config import UserSettings


@pytest.fixture
async def users(user_settings: UserSettings) -> AsyncIterator[Users]:
    async with running(user_settings) as users:
        yield users
