"""Numbers that grow with every event have 64 bits. SQLite's always had."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

GROWING = (('events', 'position'), ('journal', 'seq'), ('seals', 'size'), ('webhook_endpoints', 'cursor'),
           ('webhook_deliveries', 'position'))


def upgrade() -> None:
    change(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    change(sa.BigInteger(), sa.Integer())


def change(old, new) -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table, column in GROWING:
            op.alter_column(table, column, existing_type=old, type_=new, existing_nullable=False)
