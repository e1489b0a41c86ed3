"""Work is found by its subject, without reading all work of the tenant."""

from alembic import op

revision = '0026'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_outbox_subject', 'outbox', ['tenant_id', 'subject_id'])


def downgrade() -> None:
    op.drop_index('ix_outbox_subject', 'outbox')
