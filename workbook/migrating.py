"""The first migrations of a stack, in its owner's process."""

from collections.abc import Iterable

import psycopg
from chassis.service import Service
from chassis.settings import CannotStart, PostgresSettings

from workbook.part import PartFailed


def migrate_all(databases: Iterable[tuple[Service, PostgresSettings]]) -> None:
    """Makes the database of each service that has one, with its newest tables; raises PartFailed.

    As `python -m phaseN migrate` does. A process for each would spend most of its time importing.
    """
    from chassis.migrations import create_database, migrate  # noqa: PLC0415 - takes long, and not all who import this migrate

    for service, settings in databases:
        try:
            create_database(settings)
            migrate(settings, service.migrations)
        except (CannotStart, psycopg.OperationalError) as error:
            raise PartFailed(f"migrating {service.name} failed: {error}") from error
