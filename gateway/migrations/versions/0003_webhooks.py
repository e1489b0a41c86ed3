"""Webhooks out: addresses and deliveries."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'webhook_endpoints',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('url', sa.Text(), nullable=False),
        sa.Column('description', sa.String(), nullable=False),
        sa.Column('kinds', sa.JSON(), nullable=False),
        sa.Column('secret', sa.LargeBinary(), nullable=False),
        sa.Column('cursor', sa.Integer(), nullable=False),
        sa.Column('created_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('disabled_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('removed_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('resume_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('trouble', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )
    op.create_table(
        'webhook_deliveries',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('endpoint_id', sa.String(), nullable=False),
        sa.Column('submission_id', sa.String(), nullable=True),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('event_id', sa.String(), nullable=False),
        sa.Column('type', sa.String(), nullable=False),
        sa.Column('created_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('state', sa.String(), nullable=False),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('first_tried_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('tried_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('status', sa.Integer(), nullable=True),
        sa.Column('trouble', sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )
    op.create_index('ix_webhook_deliveries_chain', 'webhook_deliveries',
                    ['tenant_id', 'endpoint_id', 'submission_id', 'state', 'position'])
    op.create_index('ix_webhook_deliveries_list', 'webhook_deliveries', ['tenant_id', 'endpoint_id', 'position'])


def downgrade() -> None:
    op.drop_table('webhook_deliveries')
    op.drop_table('webhook_endpoints')
