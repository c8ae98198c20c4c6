"""What a running system tells of itself: metrics for Prometheus, traces for OpenTelemetry, trace ids in its logs."""
