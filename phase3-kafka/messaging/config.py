"""Where Kafka is, and how its topics are made."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings


class KafkaSettings(BaseSettings):
    kafka_address: str = "127.0.0.1:9092"
    kafka_group_protocol: Literal["consumer", "classic"] = "consumer"
    kafka_replication: Annotated[int, Field(ge=1, le=10)] = 1
    bookings_topic: str = "bookings"
    bookings_partitions: Annotated[int, Field(ge=1, le=1000)] = 6

    @property
    def dead_letter_topic(self) -> str:
        return f"{self.bookings_topic}.dead-letter"

    def client(self, name: str) -> dict[str, str | int | float | bool]:
        """What every client of librdkafka is told: where the brokers are, and to find one that comes back at once."""
        return {
            "bootstrap.servers": self.kafka_address,
            "client.id": name,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "log_level": 0,  # while Kafka is away it would write a line a try; what matters is in what it returns
        }
