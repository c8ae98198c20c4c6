"""What a local stack runs beside its services, and what these are told of it."""

import os
from collections.abc import Iterable, Mapping

from chassis.service import Service, Step

from workbook.kafka.choice import FOR_CLIENTS
from workbook.postgres import PASSWORD, USER

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def told(ports: Mapping[str, int], kafka: str) -> dict[str, str]:
    """Environment variables: EVENT_ADDRESS for event-service, and so on; `kafka` may be HOST:PORT of another one."""
    found = {
        f"{name.removesuffix('-service').replace('-', '_').upper()}_ADDRESS": f"127.0.0.1:{port}"
        for name, port in ports.items()
    }
    return {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(ports["postgres"]),
        "DB_USER": USER,
        "DB_PASSWORD": PASSWORD,
        **({"KAFKA_ADDRESS": kafka} if kafka else {}),
        **found,
        **FOR_CLIENTS.get(kafka, {}),
        **({ENDPOINT: f"http://{found['TRACES_ADDRESS']}"} if "traces" in ports else {}),
    }


def own_database(runs: Service | Step) -> dict[str, str]:
    """The name of its database, if it has one: a name in the shell would give all services the same."""
    named = runs.settings.model_fields.get("db_name")
    return {"DB_NAME": named.default} if named else {}


def own_parts(kafka: str, services: Iterable[Service], environment: Mapping[str, str]) -> list[str]:
    """What a stack runs beside its services, and tells them of."""
    own_kafka = ["kafka"] if kafka in {"apache", "embedded"} else []
    return ["postgres", *own_kafka, *(["traces"] if _keeps_traces(services, environment) else [])]


def _keeps_traces(services: Iterable[Service], environment: Mapping[str, str]) -> bool:
    """Whether a stack needs a receiver: its services make traces, and nobody has said where those are to go."""
    makes_traces = any(ENDPOINT.lower() in service.settings.model_fields for service in services)
    return makes_traces and ENDPOINT not in {**os.environ, **environment}
