"""Exports of whole periods, what an invoice says it follows from, and finding the entries about something."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0009'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('submissions', sa.Column('linked', sa.JSON(), nullable=True))
    op.create_index('ix_submissions_issued', 'submissions', ['tenant_id', 'issue_date', 'id'])
    op.create_index('ix_journal_subject', 'journal', ['tenant_id', 'subject', 'log', 'seq'])
    op.create_table(
        'exports',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('first_day', sa.Date(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.Column('legal_entity_id', sa.String(length=64), nullable=True),
        sa.Column('options', sa.JSON(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('created_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('finished_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('trouble', sa.Text(), nullable=True),
        sa.Column('total', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('cursor', sa.JSON(), nullable=False),
        sa.Column('seals', sa.JSON(), nullable=False),
        sa.Column('lengths', sa.JSON(), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )


def downgrade() -> None:
    op.drop_table('exports')
    op.drop_index('ix_journal_subject', 'journal')
    op.drop_index('ix_submissions_issued', 'submissions')
    op.drop_column('submissions', 'linked')
