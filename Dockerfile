# One file for every service: the last stages are the images, one a service, and each holds only its own phase's needs.
#   docker build --target booking-service --tag booking-service .
FROM python:3.13-slim AS python

# The packages of phase 1, exactly those of its lock, with their bytecode; pip itself stays behind in this stage.
FROM python AS phase1-build
RUN python -m venv --without-pip /opt/venv
COPY phase1-grpc/requirements.lock /tmp/requirements.lock
RUN pip --python /opt/venv/bin/python install --no-cache-dir --only-binary :all: --require-hashes \
    --requirement /tmp/requirements.lock
COPY phase1-grpc /app/phase1-grpc
RUN python -m compileall -q /app

# What every service's image shares: no root, no shell in front of Python, logs written as they happen.
FROM python AS service
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GRPC_HOST=0.0.0.0
WORKDIR /app
USER 10001:10001
STOPSIGNAL SIGTERM
LABEL org.opencontainers.image.vendor="The Ticket Workbook authors" \
      org.opencontainers.image.licenses="MIT"

FROM service AS booking-service
COPY --from=phase1-build /opt/venv /opt/venv
COPY --from=phase1-build /app /app
ENV PYTHONPATH=/app/phase1-grpc \
    GRPC_PORT=50051
EXPOSE 50051
# Alive: once it has been ready, it stays so while its database is away. Who needs "ready" asks for booking.BookingService.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["python", "-m", "chassis.probe"]
ENTRYPOINT ["python", "-m", "phase1"]
CMD ["serve", "booking-service"]
LABEL org.opencontainers.image.title="booking-service" \
      org.opencontainers.image.description="Ticket Workbook, phase 1: bookings over gRPC, kept in PostgreSQL"
