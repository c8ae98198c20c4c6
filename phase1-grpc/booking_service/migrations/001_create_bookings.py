"""Bookings: the table, the rules that make a wrong row impossible, the indexes its queries use."""

from alembic import op

revision = "001_create_bookings"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE bookings (
            id              uuid PRIMARY KEY,
            user_id         text NOT NULL CHECK (user_id ~ '^[A-Za-z0-9._:@-]{1,64}$'),
            event_id        text NOT NULL CHECK (event_id ~ '^[A-Za-z0-9._:@-]{1,64}$'),
            ticket_count    integer NOT NULL CHECK (ticket_count BETWEEN 1 AND 10),
            status          text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED')),
            reason          text NOT NULL DEFAULT '' CHECK (length(reason) <= 200),
            idempotency_key text CHECK (idempotency_key ~ '^[!-~]{1,128}$'),
            created_at      timestamptz NOT NULL DEFAULT now(),
            updated_at      timestamptz NOT NULL DEFAULT now(),
            CHECK (updated_at >= created_at),
            CHECK (reason = '' OR status = 'CANCELLED')
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX bookings_one_per_key ON bookings (user_id, idempotency_key)
        WHERE idempotency_key IS NOT NULL
    """)
    op.execute("CREATE INDEX bookings_newest_of_user ON bookings (user_id, created_at DESC, id DESC)")


def downgrade() -> None:
    op.execute("DROP TABLE bookings")
