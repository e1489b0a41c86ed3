"""Fiscal years of tenants, how long a seal stands alone, keys of subjects, renewals of hashes."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tenants', sa.Column('fiscal_year_end', sa.String(length=5), nullable=False, server_default='12-31'))
    op.add_column('seals', sa.Column('ends_at', gateway.tables.Moment(timezone=True), nullable=True))
    op.create_table(
        'subject_keys',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('key', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'subject'),
    )
    op.create_table(
        'hash_renewals',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('log', sa.String(length=120), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('size', gateway.tables.GROWING, nullable=False),
        sa.Column('at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('old_token', sa.LargeBinary(), nullable=False),
        sa.Column('checkpoint', sa.LargeBinary(), nullable=False),
        sa.Column('token', sa.LargeBinary(), nullable=False),
        sa.Column('ends_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('leaves_sha256', sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'log', 'number'),
    )


def downgrade() -> None:
    op.drop_table('hash_renewals')
    op.drop_table('subject_keys')
    op.drop_column('seals', 'ends_at')
    op.drop_column('tenants', 'fiscal_year_end')
