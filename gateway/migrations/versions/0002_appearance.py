"""How the drawn invoices of a legal entity look."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('legal_entities', sa.Column('appearance', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('legal_entities', 'appearance')
