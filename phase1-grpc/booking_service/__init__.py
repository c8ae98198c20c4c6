"""Bookings: who holds how many tickets of which event. gRPC in front, PostgreSQL behind, rules in between."""
