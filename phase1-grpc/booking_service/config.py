"""The booking service's settings: names and defaults as in the roadmap."""

from chassis.settings import Port, ServiceSettings


class BookingSettings(ServiceSettings):
    service_name: str = "booking-service"
    grpc_port: Port = 50051
    db_name: str = "booking_db"
