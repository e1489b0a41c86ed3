"""The migrations make exactly the tables that the service knows, and may be run again."""

from pathlib import Path

from alembic import command

from gateway.db import open_engine
from gateway.migrations.upgrade import config_for, upgrade


def test_migrations_make_the_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    upgrade(engine)
    upgrade(engine)
    command.check(config_for(engine))
    engine.dispose()
