"""What the tests of phase 5 share: keys, and a user database on the session's PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from access.keys import KnownKeys, make_keys, own_keys, published, service_keys, user_keys
from access.verifying import Verifier
from chassis.migrations import create_database, migrate
from phase5 import HOLDERS
from user_service.app import MIGRATIONS
from user_service.config import UserSettings

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("keys")
    make_keys(folder, HOLDERS)
    return folder


@pytest.fixture
def trusted(keys_folder: Path) -> KnownKeys:
    """What every service trusts: user-service's keys, and the services' own."""
    return KnownKeys([*user_keys(published(own_keys(keys_folder, "user-service"))), *service_keys(keys_folder)])


@pytest.fixture
def verifier(trusted: KnownKeys) -> Verifier:
    return Verifier(trusted)


@pytest.fixture(scope="session")
def migrated_users(postgres: Part, keys_folder: Path) -> UserSettings:
    """A user database with the newest tables, made once: use `user_settings`, which empties it. Hashes cost little."""
    host, port = postgres.address.split(":")
    settings = UserSettings(
        db_host=host,
        db_port=int(port),
        db_user=USER,
        db_password=PASSWORD,  # type: ignore[arg-type]  # pydantic makes it a secret
        db_pool_size=4,
        grpc_port=0,
        keys_folder=keys_folder,
        hash_time_cost=1,
        hash_memory_cost=64,
        hash_parallelism=1,
    )
    create_database(settings)
    migrate(settings, [MIGRATIONS])
    return settings


@pytest.fixture
def user_settings(migrated_users: UserSettings, postgres: Part) -> UserSettings:
    """The settings of a user service without users, on a free port."""
    with connect(postgres.address, migrated_users.db_name) as connection:
        connection.execute("TRUNCATE users, sessions, refresh_tokens, tries")
    return migrated_users.model_copy()


@pytest.fixture
def user_sql(user_settings: UserSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the user database, in autocommit."""
    with connect(postgres.address, user_settings.db_name) as connection:
        yield connection
