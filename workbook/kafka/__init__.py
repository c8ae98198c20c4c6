"""A Kafka broker for the local stack: Apache Kafka wherever it can be brought, else the one inside librdkafka."""
