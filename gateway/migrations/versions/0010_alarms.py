"""Alarms."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0010'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'alarms',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('kind', sa.String(length=40), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('facts', sa.JSON(), nullable=False),
        sa.Column('count', sa.Integer(), nullable=False),
        sa.Column('raised_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('seen_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('active', sa.Boolean(), nullable=True),
        sa.Column('cleared_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('acknowledged_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('acknowledged_by', sa.String(), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
        sa.UniqueConstraint('tenant_id', 'kind', 'subject', 'active'),
    )
    op.create_index('ix_alarms_list', 'alarms', ['tenant_id', 'raised_at', 'id'])


def downgrade() -> None:
    op.drop_table('alarms')
