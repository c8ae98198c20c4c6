"""Events found by any part of their venue's name, from an index: its pieces of up to three letters, without pg_trgm.

That extension is not everywhere (the wheel of the local stack lacks it), a GIN index over an array of text is.
"""

from alembic import op

revision = "002_find_venues"
down_revision = "001_create_events"


def upgrade() -> None:
    op.execute("""
        CREATE FUNCTION pieces(whole text, shortest integer) RETURNS text[]
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT coalesce(array_agg(DISTINCT substr(lower(whole), start, size)), '{}')
            FROM generate_series(shortest, 3) AS size, generate_series(1, length(lower(whole)) - size + 1) AS start
        $$
    """)
    # An index on the expression, not a column: a reservation rewrites its event's row, which should stay short, and it
    # changes no indexed column, so that the index has nothing to do with it.
    op.execute("CREATE INDEX events_by_venue ON events USING gin (pieces(venue, 1))")


def downgrade() -> None:
    op.execute("DROP INDEX events_by_venue")
    op.execute("DROP FUNCTION pieces(text, integer)")
