"""What the directory said about buyers, what entities do about it, and how each connection does."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('legal_entities', sa.Column('reachability', sa.JSON(), nullable=True))
    op.create_table(
        'connection_health',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('service', sa.String(length=16), nullable=False),
        sa.Column('succeeded_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('failed_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('error', sa.Text(), nullable=True),
        sa.Column('failures', sa.Integer(), nullable=False),
        sa.Column('open_until', gateway.tables.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id', 'service'),
    )
    op.create_table(
        'directory_answers',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=125), nullable=False),
        sa.Column('connection_id', sa.String(length=64), nullable=False),
        sa.Column('asked_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('reach', sa.String(length=16), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.Column('others', sa.JSON(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('told_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('told', sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id', 'connection_id'),
    )


def downgrade() -> None:
    op.drop_table('directory_answers')
    op.drop_table('connection_health')
    op.drop_column('legal_entities', 'reachability')
