"""The event database's migrations, down and up again."""

import psycopg
from chassis.migrations import create_database, migrate
from event_service.app import MIGRATIONS
from event_service.config import EventSettings

from workbook.part import Part
from workbook.postgres import connect


def made_by_us(sql: psycopg.Connection) -> list[str]:
    found = sql.execute("""
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ORDER BY 1
    """)
    return [name for (name,) in found if not name.startswith("alembic")]


def test_all_the_way_down_nothing_is_left_and_up_it_is_the_same(event_settings: EventSettings, postgres: Part) -> None:
    settings = event_settings.model_copy(update={"db_name": "event_migrations"})
    create_database(settings)
    migrate(settings, [MIGRATIONS])
    with connect(postgres.address, settings.db_name) as sql:
        made = made_by_us(sql)
        assert {"events", "reservations", "capacity_changes", "events_by_venue", "pieces"} <= set(made)
        migrate(settings, [MIGRATIONS], "base")
        assert made_by_us(sql) == []
        migrate(settings, [MIGRATIONS])
        assert made_by_us(sql) == made
