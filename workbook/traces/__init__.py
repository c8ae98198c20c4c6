"""A small collector for the local stack: takes spans over OTLP, keeps the newest, answers questions, draws a trace."""
