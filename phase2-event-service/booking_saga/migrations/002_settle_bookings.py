"""What recovery needs to know of a booking: when to look at it again, and whether its tickets were given back."""

from alembic import op

revision = "002_settle_bookings"
down_revision = "001_create_bookings"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE bookings
            ADD COLUMN settle_at timestamptz NOT NULL DEFAULT now(),
            ADD COLUMN given_back boolean NOT NULL DEFAULT false
    """)
    # What is not settled is little, so this index stays small: a CONFIRMED booking is never in it.
    op.execute("""
        CREATE INDEX bookings_unsettled ON bookings (settle_at)
        WHERE status = 'PENDING' OR (status = 'CANCELLED' AND NOT given_back)
    """)


def downgrade() -> None:
    op.execute("DROP INDEX bookings_unsettled")
    op.execute("ALTER TABLE bookings DROP COLUMN settle_at, DROP COLUMN given_back")
