"""The first migrations of a stack: what fails is a part that failed, and says whose migrations they were."""

import pytest

from workbook.migrating import migrate_all
from workbook.part import PartFailed
from workbook.phases import services
from workbook.ports import free_port


def test_without_a_database_it_says_whose_migrations_failed() -> None:
    (service,) = services(1)
    values = {"db_host": "127.0.0.1", "db_port": free_port(), "db_user": "ada", "db_password": "x", "grpc_port": 0}
    with pytest.raises(PartFailed, match=r"(?s)^migrating booking-service failed: .*refused"):
        migrate_all([(service, service.settings.model_validate(values))])
