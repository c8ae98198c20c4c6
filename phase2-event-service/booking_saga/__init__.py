"""Booking over two services: the tickets come from the event service, and every crash in between is put right."""
