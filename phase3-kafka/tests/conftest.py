"""What the tests of phase 3 share: a broker, databases on the session's PostgreSQL, a topic of each test's own."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from booking_outbox.app import MIGRATIONS as BOOKING_MIGRATIONS
from booking_outbox.config import OutboxSettings
from chassis.migrations import create_database, migrate
from confluent_kafka import Producer
from metrics_consumer.app import MIGRATIONS as METRICS_MIGRATIONS
from metrics_consumer.config import MetricsSettings

from workbook.part import Part
from workbook.postgres import PASSWORD, USER, connect


@pytest.fixture(scope="session")
def broker() -> Iterator[str]:
    """The address of a broker: librdkafka's own, in this process."""
    owner = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (here,) = owner.list_topics(timeout=5).brokers.values()
    yield f"{here.host}:{here.port}"
    owner.close()


@pytest.fixture
def topic() -> str:
    return f"bookings-{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def migrated_outbox(postgres: Part, broker: str) -> OutboxSettings:
    """A booking database with the newest tables, made once: use `outbox_settings`, which empties it."""
    settings = OutboxSettings(**where(postgres, "outbox_db"), kafka_address=broker, metrics_port=0)
    create_database(settings)
    migrate(settings, BOOKING_MIGRATIONS)
    return settings


@pytest.fixture
def outbox_settings(migrated_outbox: OutboxSettings, postgres: Part, topic: str) -> OutboxSettings:
    with connect(postgres.address, migrated_outbox.db_name) as connection:
        connection.execute("TRUNCATE bookings, outbox")
    return migrated_outbox.model_copy(update={"bookings_topic": topic})


@pytest.fixture
def outbox_sql(outbox_settings: OutboxSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the booking database, in autocommit."""
    with connect(postgres.address, outbox_settings.db_name) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_metrics(postgres: Part, broker: str) -> MetricsSettings:
    """A metrics database with the newest tables, made once: use `metrics_settings`, which empties it."""
    settings = MetricsSettings(**where(postgres, "counts_db"), kafka_address=broker, metrics_port=0)
    create_database(settings)
    migrate(settings, [METRICS_MIGRATIONS])
    return settings


@pytest.fixture
def metrics_settings(migrated_metrics: MetricsSettings, postgres: Part, topic: str) -> MetricsSettings:
    with connect(postgres.address, migrated_metrics.db_name) as connection:
        connection.execute("TRUNCATE counted, daily_bookings, event_bookings")
    return migrated_metrics.model_copy(update={"bookings_topic": topic, "consumer_group": f"group-of-{topic}"})


@pytest.fixture
def metrics_sql(metrics_settings: MetricsSettings, postgres: Part) -> Iterator[psycopg.Connection]:
    """A connection of the test's own to the metrics database, in autocommit."""
    with connect(postgres.address, metrics_settings.db_name) as connection:
        yield connection


def where(postgres: Part, database: str) -> dict[str, str | int]:
    host, port = postgres.address.split(":")
    return {
        "db_host": host,
        "db_port": int(port),
        "db_user": USER,
        "db_password": PASSWORD,
        "db_name": database,
        "grpc_port": 0,
    }
