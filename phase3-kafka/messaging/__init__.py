"""What the services of phase 3 say to each other over Kafka: the messages, the topics, and how both are used."""
