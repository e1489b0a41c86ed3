"""Clients of reminders, cases, answers by link; a scenario belongs to a segment of clients."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

MOMENT = gateway.tables.Moment(timezone=True)


def table(name: str, keys: tuple[str, ...], *columns: sa.schema.SchemaItem) -> None:
    """A table of a tenant."""
    op.create_table(name, sa.Column('tenant_id', sa.String(length=36), nullable=False), *columns,
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', *keys))


def upgrade() -> None:
    op.add_column('scenarios', sa.Column('segment', sa.String(length=40), nullable=False, server_default=''))
    op.create_index('ix_scenarios_version', 'scenarios', ['tenant_id', 'segment', 'version'], unique=True)
    op.create_index('ix_holds_submission', 'holds', ['tenant_id', 'submission_id'])
    table('reminder_clients', ('key',),
          sa.Column('key', sa.String(length=255), nullable=False),
          sa.Column('name', sa.String(), nullable=False),
          sa.Column('segment', sa.String(length=40), nullable=False),
          sa.Column('email', sa.String(), nullable=True),
          sa.Column('contact', sa.String(), nullable=True),
          sa.Column('lang', sa.String(length=2), nullable=True),
          sa.Column('region', sa.String(length=8), nullable=True),
          sa.Column('watched', sa.Boolean(), nullable=False),
          sa.Column('hold', sa.String(length=20), nullable=True),
          sa.Column('hold_reason', sa.Text(), nullable=True),
          sa.Column('hold_until', sa.Date(), nullable=True),
          sa.Column('owner', sa.String(), nullable=True),
          sa.Column('changed_at', MOMENT, nullable=False),
          sa.Column('actor', sa.String(), nullable=False))
    table('cases', ('id',),
          sa.Column('id', sa.String(length=64), nullable=False),
          sa.Column('submission_id', sa.String(length=64), nullable=False),
          sa.Column('client', sa.String(length=255), nullable=False),
          sa.Column('kind', sa.String(length=20), nullable=False),
          sa.Column('stage', sa.String(length=40), nullable=False),
          sa.Column('reason', sa.Text(), nullable=False),
          sa.Column('balance', gateway.tables.Amount(length=80), nullable=False),
          sa.Column('opened_at', MOMENT, nullable=False),
          sa.Column('due_on', sa.Date(), nullable=False),
          sa.Column('owner', sa.String(), nullable=True),
          sa.Column('active', sa.Boolean(), nullable=True),
          sa.Column('outcome', sa.String(length=20), nullable=True),
          sa.Column('closed_at', MOMENT, nullable=True),
          sa.Column('closed_by', sa.String(), nullable=True),
          sa.Column('resolution', sa.Text(), nullable=True),
          sa.Column('proposal', sa.Text(), nullable=True),
          sa.UniqueConstraint('tenant_id', 'submission_id', 'kind', 'stage', 'active'))
    op.create_index('ix_cases_open', 'cases', ['tenant_id', 'active', 'due_on', 'id'])
    op.create_index('ix_cases_client', 'cases', ['tenant_id', 'client', 'active'])
    table('reminder_answers', ('id',),
          sa.Column('id', sa.String(length=64), nullable=False),
          sa.Column('submission_id', sa.String(length=64), nullable=False),
          sa.Column('at', MOMENT, nullable=False),
          sa.Column('answer', sa.String(length=20), nullable=False),
          sa.Column('words', sa.JSON(), nullable=False))
    op.create_index('ix_reminder_answers_submission', 'reminder_answers', ['tenant_id', 'submission_id'])


def downgrade() -> None:
    for name in ('reminder_answers', 'cases', 'reminder_clients'):
        op.drop_table(name)
    op.drop_index('ix_holds_submission', 'holds')
    op.drop_index('ix_scenarios_version', 'scenarios')
    op.drop_column('scenarios', 'segment')
