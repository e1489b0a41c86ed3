"""Run by Alembic: migrations on the engine that the caller put into the configuration."""

from alembic import context
from sqlalchemy import Connection

from gateway.db import EVERY_TENANT
from gateway.migrations.policies import apply_policies
from gateway.tables import Base

ONE_AT_A_TIME = 0x50415353
"""Number of the lock under which PostgreSQL lets one process upgrade while the others wait."""


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True,
                      transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


engine = context.config.attributes["engine"]
with engine.connect() as connection:
    if connection.dialect.name != "postgresql":
        _run(connection)
    else:
        with connection.begin():
            connection.exec_driver_sql("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
            connection.exec_driver_sql("SELECT set_config('passerelle.tenant', %s, false)", (EVERY_TENANT,))
        try:
            _run(connection)
            connection.rollback()  # of a look that found nothing to migrate
            with connection.begin():
                apply_policies(connection)
        finally:
            connection.invalidate()  # lock and setting end with the connection
