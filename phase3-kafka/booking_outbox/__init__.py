"""A message for every booking: written with the booking in one transaction, taken to Kafka by a relay."""
