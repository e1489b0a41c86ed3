"""How long invoices are kept, legal holds, destructions; on PostgreSQL an event's words may be erased, never changed."""

import sqlalchemy as sa
from alembic import op

import gateway.tables
from gateway.migrations.policies import REFUSE

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

MOMENT = gateway.tables.Moment(timezone=True)


def table(name: str, keys: tuple[str, ...], *columns: sa.Column) -> None:
    """A table of a tenant."""
    op.create_table(name, sa.Column('tenant_id', sa.String(length=36), nullable=False), *columns,
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', *keys))


def upgrade() -> None:
    op.add_column('tenants', sa.Column('retention_years', sa.Integer(), nullable=False, server_default='10'))
    table('retentions', ('submission_id',),
          sa.Column('submission_id', sa.String(length=64), nullable=False),
          sa.Column('until', sa.Date(), nullable=False),
          sa.Column('rule', sa.String(length=16), nullable=False),
          sa.Column('counted_to', MOMENT, nullable=False),
          sa.Column('locked_until', sa.Date(), nullable=True),
          sa.Column('destroyed_at', MOMENT, nullable=True),
          sa.Column('destruction_id', sa.String(length=64), nullable=True))
    op.create_index('ix_retentions_until', 'retentions', ['tenant_id', 'until'])
    table('legal_holds', ('id',),
          sa.Column('id', sa.String(length=64), nullable=False),
          sa.Column('subject', sa.String(length=200), nullable=False),
          sa.Column('reason', sa.Text(), nullable=False),
          sa.Column('set_at', MOMENT, nullable=False),
          sa.Column('set_by', sa.String(), nullable=False),
          sa.Column('lifted_at', MOMENT, nullable=True),
          sa.Column('lifted_by', sa.String(), nullable=True),
          sa.Column('lifted_reason', sa.Text(), nullable=True))
    op.create_index('ix_legal_holds_subject', 'legal_holds', ['tenant_id', 'subject', 'lifted_at'])
    table('destructions', ('id',),
          sa.Column('id', sa.String(length=64), nullable=False),
          sa.Column('reason', sa.Text(), nullable=False),
          sa.Column('state', sa.String(length=12), nullable=False),
          sa.Column('proposed_at', MOMENT, nullable=False),
          sa.Column('proposed_by', sa.String(), nullable=False),
          sa.Column('decided_at', MOMENT, nullable=True),
          sa.Column('decided_by', sa.String(), nullable=True),
          sa.Column('decided_reason', sa.Text(), nullable=True),
          sa.Column('finished_at', MOMENT, nullable=True),
          sa.Column('certificate', sa.String(length=64), nullable=True))
    op.create_index('ix_destructions_list', 'destructions', ['tenant_id', 'proposed_at', 'id'])
    table('destruction_items', ('destruction_id', 'subject'),
          sa.Column('destruction_id', sa.String(length=64), nullable=False),
          sa.Column('subject', sa.String(length=200), nullable=False),
          sa.Column('until', sa.Date(), nullable=False))
    op.create_index('ix_destruction_items_subject', 'destruction_items', ['tenant_id', 'subject'])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(REFUSE)


def downgrade() -> None:
    for name in ('destruction_items', 'destructions', 'legal_holds', 'retentions'):
        op.drop_table(name)
    op.drop_column('tenants', 'retention_years')
