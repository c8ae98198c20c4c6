"""Users, their sessions with the refresh tokens, and the tries at passwords."""

from alembic import op

revision = "001_create_users"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE users (
            id            uuid PRIMARY KEY,
            email         text NOT NULL UNIQUE CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
            name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
            password_hash text NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
            roles         text[] NOT NULL DEFAULT '{customer}'
                          CHECK (roles <@ '{customer,organiser,admin}' AND roles @> '{customer}'),
            created_at    timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE TABLE sessions (
            id         uuid PRIMARY KEY,
            user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            ended_at   timestamptz
        )
    """)
    op.execute("CREATE INDEX sessions_by_user ON sessions (user_id)")
    op.execute("CREATE INDEX sessions_by_end ON sessions (least(expires_at, ended_at))")
    # Used ones stay as long as their session: only so is it seen that one comes again.
    op.execute("""
        CREATE TABLE refresh_tokens (
            hash       bytea PRIMARY KEY CHECK (length(hash) = 32),
            session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
            created_at timestamptz NOT NULL DEFAULT now(),
            used_at    timestamptz
        )
    """)
    op.execute("CREATE UNIQUE INDEX refresh_tokens_unused ON refresh_tokens (session_id) WHERE used_at IS NULL")
    op.execute("CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id)")
    op.execute("""
        CREATE TABLE tries (
            subject text PRIMARY KEY,
            count   integer NOT NULL CHECK (count >= 0),
            last_at timestamptz NOT NULL DEFAULT now(),
            free_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX tries_by_age ON tries (greatest(last_at, free_at))")


def downgrade() -> None:
    op.execute("DROP TABLE tries, refresh_tokens, sessions, users")
