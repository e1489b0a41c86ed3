"""Bring a database to the newest form. Safe to repeat; a killed upgrade is taken up again."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def config_for(engine: Engine) -> Config:
    """The Alembic configuration, without a file: everything is known here."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine) -> None:
    """Run every migration that this database has not seen."""
    command.upgrade(config_for(engine), "head")
