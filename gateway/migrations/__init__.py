"""Database migrations (Alembic). The service upgrades its own database at start."""
