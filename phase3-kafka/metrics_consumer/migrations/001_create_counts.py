"""What was counted, message by message, and the sums: by day and by event."""

from alembic import op

revision = "001_create_counts"
down_revision = None

_SUMS = """
    confirmed        bigint NOT NULL CHECK (confirmed >= 0),
    withdrawn        bigint NOT NULL CHECK (withdrawn >= 0),
    refused          bigint NOT NULL CHECK (refused >= 0),
    tickets_sold     bigint NOT NULL CHECK (tickets_sold >= 0),
    tickets_returned bigint NOT NULL CHECK (tickets_returned >= 0)
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE counted (
            message_id      uuid PRIMARY KEY,
            booking_id      uuid NOT NULL,
            status          text NOT NULL CHECK (status IN ('CONFIRMED', 'CANCELLED')),
            previous_status text NOT NULL CHECK (previous_status IN ('PENDING', 'CONFIRMED'))
        )
    """)
    # Withdrawn: CANCELLED after it was CONFIRMED. Refused: CANCELLED while it was PENDING, so nobody had its tickets.
    op.execute(f"CREATE TABLE daily_bookings (day date PRIMARY KEY, {_SUMS})")
    op.execute(f"CREATE TABLE event_bookings (event_id text PRIMARY KEY, {_SUMS})")
    op.execute(
        "CREATE INDEX event_bookings_popular ON event_bookings ((tickets_sold - tickets_returned) DESC, event_id)"
    )


def downgrade() -> None:
    op.execute("DROP TABLE counted, daily_bookings, event_bookings")
