"""What every document stood for from one day to another, so that lists and figures of any day are sums of rows.

The mark of each tenant goes: its lines and spells are made again, as on the first day.
"""

import sqlalchemy as sa
from alembic import op

from gateway.tables import GROWING

revision = '0025'
down_revision = '0023'
branch_labels = None
depends_on = None

OPEN, OPEN_ON_SQLITE, EXACT = sa.text('is_open'), sa.text('is_open = 1'), sa.text('exact IS NOT NULL')


def upgrade() -> None:
    op.create_table('ledger_spells',
                    sa.Column('tenant_id', sa.String(length=36), nullable=False),
                    sa.Column('submission_id', sa.String(length=64), nullable=False),
                    sa.Column('since', sa.Date(), nullable=False),
                    sa.Column('until', sa.Date(), nullable=False),
                    sa.Column('client', sa.String(length=64), nullable=False),
                    sa.Column('name', sa.String(), nullable=False),
                    sa.Column('name_key', sa.String(), nullable=False),
                    sa.Column('number', sa.String(), nullable=False),
                    sa.Column('number_key', sa.String(length=255), nullable=False),
                    sa.Column('type_code', sa.String(), nullable=False),
                    sa.Column('currency', sa.String(), nullable=False),
                    sa.Column('issued_on', sa.Date(), nullable=False),
                    sa.Column('due_date', sa.Date(), nullable=True),
                    sa.Column('listed_on', sa.Date(), nullable=False),
                    sa.Column('is_open', sa.Boolean(), nullable=False),
                    *(sa.Column(name, GROWING, nullable=False)
                      for name in ('asked', 'paid', 'taken_off', 'balance', 'sale')),
                    sa.Column('settled_on', sa.Date(), nullable=True),
                    sa.Column('delay', sa.Integer(), nullable=True),
                    sa.Column('exact', sa.JSON(none_as_null=True), nullable=True),
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', 'submission_id', 'since'))
    only_open = {'sqlite_where': OPEN_ON_SQLITE, 'postgresql_where': OPEN}
    for name, columns, where in (
        ('open', ['currency', 'due_date', 'until', 'since', 'balance'], only_open),
        ('listed', ['listed_on', 'number_key', 'until', 'since'], only_open),
        ('sales', ['currency', 'issued_on', 'until', 'since', 'sale'], {}),
        ('client', ['client', 'currency', 'due_date', 'until', 'since', 'sale', 'delay', 'is_open', 'balance'], {}),
        ('settled', ['settled_on'], {}),
        ('exact', [], {'sqlite_where': EXACT, 'postgresql_where': EXACT}),
    ):
        op.create_index(f'ix_ledger_spells_{name}', 'ledger_spells', ['tenant_id', *columns], **where)
    op.execute('DELETE FROM ledger_marks')


def downgrade() -> None:
    op.drop_table('ledger_spells')
