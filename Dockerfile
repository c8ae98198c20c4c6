# One file for every service: the last stages are the images, one a service, all of the system as of one phase.
#   docker build --target booking-service --tag booking-service .                          as of the newest phase
#   docker build --target booking-service --tag booking-service --build-arg PHASE=1 .      as of phase 1
ARG PHASE=5
FROM python:3.13-slim AS python

# The packages of the phase, exactly those of its lock, and the code of the phases up to it, side by side in one folder,
# both with their bytecode; pip itself stays behind in this stage.
FROM python AS build
ARG PHASE
RUN python -m venv --without-pip /opt/venv
COPY phase${PHASE}-*/requirements.lock /tmp/
RUN pip --python /opt/venv/bin/python install --no-cache-dir --only-binary :all: --require-hashes \
    --requirement /tmp/requirements.lock
COPY phase[1-${PHASE}]-* /app/
RUN rm /app/requirements.lock && python -m compileall -q /app

# What every service's image shares: no root, no shell in front of Python, logs written as they happen.
FROM python AS service
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GRPC_HOST=0.0.0.0 \
    METRICS_HOST=0.0.0.0
WORKDIR /app
USER 10001:10001
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.vendor="The Ticket Workbook authors" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# Alive: once it has been ready, it stays so while its database is away. Who needs "ready" asks for the service by name.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["python", "-m", "chassis.probe"]

# Each phase runs its services by its own name: `docker top` shows which one an image is of.
FROM service AS phase1
ENTRYPOINT ["python", "-m", "phase1"]

FROM service AS phase2
ENTRYPOINT ["python", "-m", "phase2"]

FROM service AS phase3
ENTRYPOINT ["python", "-m", "phase3"]

FROM service AS phase4
ENTRYPOINT ["python", "-m", "phase4"]

# The folder of the keys is the services' own: a volume takes its owner over.
FROM service AS phase5
USER 0:0
RUN install --directory --owner=10001 --group=10001 --mode=700 /keys
USER 10001:10001
ENV KEYS_FOLDER=/keys
ENTRYPOINT ["python", "-m", "phase5"]

# A stage of this file, so it has no tag to pin.
# hadolint ignore=DL3006
FROM phase${PHASE} AS newest

FROM newest AS booking-service
ENV GRPC_PORT=50051
EXPOSE 50051
CMD ["serve", "booking-service"]
LABEL org.opencontainers.image.title="booking-service" \
      org.opencontainers.image.description="Ticket Workbook: bookings over gRPC, kept in PostgreSQL"

FROM newest AS event-service
ENV GRPC_PORT=50052
EXPOSE 50052
CMD ["serve", "event-service"]
LABEL org.opencontainers.image.title="event-service" \
      org.opencontainers.image.description="Ticket Workbook: events and their tickets over gRPC, kept in PostgreSQL"

FROM newest AS metrics-consumer
ENV GRPC_PORT=50054
EXPOSE 50054 9464
CMD ["serve", "metrics-consumer"]
LABEL org.opencontainers.image.title="metrics-consumer" \
      org.opencontainers.image.description="Ticket Workbook: counts each message of Kafka once, and shows it to Prometheus"

FROM newest AS user-service
ENV GRPC_PORT=50053
EXPOSE 50053 9467
CMD ["serve", "user-service"]
LABEL org.opencontainers.image.title="user-service" \
      org.opencontainers.image.description="Ticket Workbook: users and their tokens over gRPC, kept in PostgreSQL"

FROM newest AS api-gateway
ENV HTTP_HOST=0.0.0.0 \
    HTTP_PORT=8080
EXPOSE 8080 9468
CMD ["serve", "api-gateway"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["python", "-m", "chassis.probe", "http://127.0.0.1:8080/healthz"]
LABEL org.opencontainers.image.title="api-gateway" \
      org.opencontainers.image.description="Ticket Workbook: the way in from outside, REST over HTTP"
