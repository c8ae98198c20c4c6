"""The system as of phase 1: one service, one database."""

from booking_service.app import MIGRATIONS, serve
from booking_service.config import BookingSettings
from chassis.service import Service

SERVICES = (Service("booking-service", BookingSettings, serve, (MIGRATIONS,)),)
