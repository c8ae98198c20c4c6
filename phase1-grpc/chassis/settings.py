"""Settings come from the environment, are read once, and a wrong one stops the start with its name."""

import os
from typing import Annotated, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Limit = Annotated[float, Field(ge=0.01, le=3600)]  # seconds; PostgreSQL takes a limit of 0 as none


class ProcessSettings(BaseSettings):
    """What every process needs to know, whatever it serves: its name, how it ends, how it logs."""

    service_name: str = "service"
    drain_delay: Seconds = 0
    stop_grace: Seconds = 5
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"


class PostgresSettings(BaseSettings):
    """Where the service's database is; the defaults are the roadmap's `docker run` command."""

    db_host: str = "127.0.0.1"
    db_port: Port = 5432
    db_user: str = "postgres"
    db_password: SecretStr = SecretStr("1234")
    db_name: str = "postgres"
    db_pool_size: Annotated[int, Field(ge=1, le=100)] = 8
    db_statement_timeout: Limit = 5
    db_lock_timeout: Limit = 2

    def conninfo(self) -> dict[str, str | int]:
        """The connection's parameters as libpq names them."""
        return {
            "host": self.db_host,
            "port": self.db_port,
            "user": self.db_user,
            "password": self.db_password.get_secret_value(),
            "dbname": self.db_name,
            "connect_timeout": 3,
        }


class ServiceSettings(ProcessSettings, PostgresSettings):
    """What every gRPC service with a database needs to know; a service adds its own fields and defaults."""

    grpc_host: str = "127.0.0.1"
    grpc_port: Port = 50051
    grpc_max_message_bytes: Annotated[int, Field(ge=1024, le=2**30)] = 64 * 1024
    grpc_max_concurrent_calls: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    grpc_max_streams: Annotated[int, Field(ge=1, le=1_000_000)] = 500
    grpc_max_connection_age: Annotated[int, Field(ge=1, le=86_400)] = 300
    deadline_limit: Limit = 10


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


class CannotStart(Exception):
    """The process cannot do its work where it is; the text tells the person who started it what to change."""


class WrongSettings(CannotStart):
    """The environment holds a value that cannot be used; the text names each variable."""


def read_settings(kind: type[AnySettings]) -> AnySettings:
    """Settings of this kind from the environment; WrongSettings names the variables at fault, never their secrets.

    What the environment does not say is read from the file of its name in SECRETS_FOLDER, where there is one: a
    variable is seen by everybody who may look at the process.
    """
    try:
        return kind(_secrets_dir=os.environ.get("SECRETS_FOLDER"))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()]
        raise WrongSettings("\n".join(lines)) from None
