"""What the booking service needs to know from phase 3 on: where Kafka is, and how its relay works."""

from typing import Annotated

from booking_saga.config import SagaSettings
from chassis.settings import Port
from messaging.config import KafkaSettings
from pydantic import Field

from booking_outbox.leadership import SILENCE


class OutboxSettings(SagaSettings, KafkaSettings):
    outbox_relay: bool = True
    outbox_batch: Annotated[int, Field(ge=1, le=10_000)] = 500
    outbox_poll: Annotated[float, Field(ge=0.01, le=SILENCE / 2)] = 0.025  # who leads says so by looking
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9465
