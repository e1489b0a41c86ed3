"""A call, a letter, a notice or a file is a task about several invoices of a client."""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('cases') as cases:
        cases.add_column(sa.Column('beside', sa.JSON(), nullable=False, server_default='[]'))


def downgrade() -> None:
    with op.batch_alter_table('cases') as cases:
        cases.drop_column('beside')
