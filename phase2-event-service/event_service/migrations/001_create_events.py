"""Events, their reservations, and the changes organisers made to their capacity."""

from alembic import op

revision = "001_create_events"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE events (
            id         uuid PRIMARY KEY,
            name       text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
            kind       text NOT NULL CHECK (kind IN ('concert', 'match', 'theatre', 'other')),
            starts_at  timestamptz NOT NULL,
            time_zone  text NOT NULL CHECK (length(time_zone) BETWEEN 1 AND 64),
            venue      text NOT NULL CHECK (length(venue) BETWEEN 1 AND 200),
            capacity   integer NOT NULL CHECK (capacity BETWEEN 0 AND 1000000),
            available  integer NOT NULL CHECK (available BETWEEN 0 AND capacity),
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CHECK (updated_at >= created_at)
        )
    """)
    op.execute("CREATE INDEX events_by_date ON events (starts_at, id)")
    op.execute("CREATE INDEX events_by_kind_and_date ON events (kind, starts_at, id)")
    # One row a booking, for ever: it makes a reserve that comes twice, or after its release, a thing of the past.
    # A release that came first has no event yet: a tombstone. No foreign key: it outlives a deleted event.
    op.execute("""
        CREATE TABLE reservations (
            booking_id   uuid PRIMARY KEY,
            event_id     uuid,
            ticket_count integer CHECK (ticket_count BETWEEN 1 AND 10),
            reserved_at  timestamptz DEFAULT now(),
            released_at  timestamptz,
            CHECK ((event_id IS NULL) = (ticket_count IS NULL)),
            CHECK ((event_id IS NULL) = (reserved_at IS NULL)),
            CHECK (event_id IS NOT NULL OR released_at IS NOT NULL)
        )
    """)
    op.execute("CREATE INDEX reservations_live ON reservations (event_id) WHERE released_at IS NULL")
    op.execute("""
        CREATE TABLE capacity_changes (
            operation_id uuid PRIMARY KEY,
            event_id     uuid NOT NULL,
            change       integer NOT NULL,
            made_at      timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE capacity_changes, reservations, events")
