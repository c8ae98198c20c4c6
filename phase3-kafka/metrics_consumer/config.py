"""The metrics consumer's settings."""

from typing import Annotated

from chassis.settings import Port, ServiceSettings
from messaging.config import KafkaSettings
from pydantic import Field


class MetricsSettings(ServiceSettings, KafkaSettings):
    service_name: str = "metrics-consumer"
    grpc_port: Port = 50054
    db_name: str = "metrics_db"
    consumer_group: str = "metrics-consumer"
    consumer_batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    popular_events: Annotated[int, Field(ge=1, le=100)] = 10
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9464
