"""Flows are found by their invoice and by what they brought, without reading all flows of the tenant."""

from alembic import op

revision = '0024'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_seen_flows_submission', 'seen_flows', ['tenant_id', 'submission_id'])
    op.create_index('ix_seen_flows_sha256', 'seen_flows', ['tenant_id', 'sha256'])


def downgrade() -> None:
    op.drop_index('ix_seen_flows_sha256', 'seen_flows')
    op.drop_index('ix_seen_flows_submission', 'seen_flows')
