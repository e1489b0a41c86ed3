"""A claim of work has a number that no later claim has, although a person may set the attempts back to none."""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('outbox') as outbox:
        outbox.add_column(sa.Column('claims', sa.Integer(), nullable=False, server_default='0'))
    op.execute('UPDATE outbox SET claims = attempts')


def downgrade() -> None:
    with op.batch_alter_table('outbox') as outbox:
        outbox.drop_column('claims')
