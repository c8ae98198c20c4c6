"""What alembic runs: it finds the service's settings in the configuration's attributes (see chassis/migrations.py)."""

from alembic import context
from chassis.migrations import LOCK, LOCK_TIMEOUT
from sqlalchemy import URL, NullPool, create_engine, text

settings = context.config.attributes["settings"]
url = URL.create(
    "postgresql+psycopg",
    username=settings.db_user,
    password=settings.db_password.get_secret_value(),
    host=settings.db_host,
    port=settings.db_port,
    database=settings.db_name,
)
engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 3})
with engine.connect() as connection:
    connection.execute(text(LOCK))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
