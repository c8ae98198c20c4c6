"""The event service's settings."""

from chassis.settings import Limit, Port, ServiceSettings


class EventSettings(ServiceSettings):
    service_name: str = "event-service"
    grpc_port: Port = 50052
    db_name: str = "event_db"
    watch_interval: Limit = 0.25
