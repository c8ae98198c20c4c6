"""Counts bookings from their messages: each exactly once, however often it arrives."""
