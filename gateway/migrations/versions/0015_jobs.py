"""Jobs lose what none of them ever had: options, a file of its own. A hold knows how much of it the store was told."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0012'
branch_labels = None
depends_on = None

GROWING = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    for name in ('options', 'name', 'sha256', 'size'):
        op.drop_column('jobs', name)
    op.add_column('legal_holds', sa.Column('told_to', GROWING, nullable=False, server_default='0'))


def downgrade() -> None:
    op.drop_column('legal_holds', 'told_to')
    op.add_column('jobs', sa.Column('options', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('jobs', sa.Column('name', sa.String(), nullable=True))
    op.add_column('jobs', sa.Column('sha256', sa.String(length=64), nullable=True))
    op.add_column('jobs', sa.Column('size', GROWING, nullable=True))
