"""What each service needs to know from phase 4 on. Names that begin with OTEL are OpenTelemetry's own."""

from typing import Annotated

from booking_outbox.config import OutboxSettings
from chassis.settings import Limit, Port
from event_service.config import EventSettings
from metrics_consumer.config import MetricsSettings
from pydantic import Field
from pydantic_settings import BaseSettings


class TelemetrySettings(BaseSettings):
    """Without an endpoint nobody keeps traces: ids go along and stand in the logs, and nothing is recorded or sent."""

    otel_exporter_otlp_endpoint: str = ""
    otel_exporter_otlp_timeout: Limit = 2
    otel_traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1
    otel_bsp_schedule_delay: Annotated[int, Field(ge=1, le=60_000)] = 1000
    otel_bsp_max_queue_size: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    otel_bsp_max_export_batch_size: Annotated[int, Field(ge=1, le=10_000)] = 512
    otel_sdk_disabled: bool = False
    figures_every: Limit = 5


class ObservedBookingSettings(OutboxSettings, TelemetrySettings):
    pass


class ObservedEventSettings(EventSettings, TelemetrySettings):
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9466


class ObservedMetricsSettings(MetricsSettings, TelemetrySettings):
    pass
