"""The outbox: a row for each message that is not yet known to be at Kafka. What was booked before is told too."""

from alembic import op

revision = "003_outbox"
down_revision = "002_settle_bookings"


def upgrade() -> None:
    # Rows come and go by the thousand, so it is vacuumed by their number and not by a share of what is there at rest.
    # A booking has at most one message of a type, and the two make its id: it is the same when told again.
    op.execute("""
        CREATE TABLE outbox (
            id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message_id  uuid NOT NULL GENERATED ALWAYS AS (md5(booking_id::text || type)::uuid) STORED,
            booking_id  uuid NOT NULL,
            type        text NOT NULL,
            value       text NOT NULL,
            traceparent text NOT NULL DEFAULT '',
            written_at  timestamptz NOT NULL DEFAULT now()
        ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)
    """)
    # Which status a cancelled booking had before is not known any more: as PENDING it counts as cancelled, and as no
    # more than that.
    op.execute("""
        INSERT INTO outbox (booking_id, type, value)
        SELECT id,
            CASE status WHEN 'CONFIRMED' THEN 'BookingCreatedEvent' ELSE 'BookingCancelledEvent' END,
            (jsonb_build_object(
                'booking_id', id, 'user_id', user_id, 'event_id', event_id, 'ticket_count', ticket_count,
                'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            ) || CASE status WHEN 'CONFIRMED' THEN '{}'::jsonb
                ELSE jsonb_build_object('previous_status', 'PENDING', 'reason', reason) END)::text
        FROM bookings WHERE status <> 'PENDING' ORDER BY updated_at
    """)


def downgrade() -> None:
    op.execute("DROP TABLE outbox")
