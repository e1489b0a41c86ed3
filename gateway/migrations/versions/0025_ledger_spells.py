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

ONLY_OPEN = {'sqlite_where': sa.text('is_open = 1'), 'postgresql_where': sa.text('is_open')}
DISPUTED = sa.text("lifecycle IN ('206', '207', '208')")
ONLY_ODD = {'sqlite_where': sa.text('fits = 0'), 'postgresql_where': sa.text('NOT fits')}


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
                    sa.Column('fits', sa.Boolean(), nullable=False),
                    sa.Column('exact', sa.JSON(none_as_null=True), nullable=True),
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', 'submission_id', 'since'))
    for name, columns, where in (
        ('open', ['currency', 'due_date', 'until', 'since', 'balance', 'fits', 'is_open'], ONLY_OPEN),
        ('listed', ['listed_on', 'number_key', 'until', 'since'], ONLY_OPEN),
        ('sales', ['currency', 'issued_on', 'until', 'since', 'sale', 'fits'], {}),
        ('client', ['client', 'currency', 'due_date', 'until', 'since', 'sale', 'delay', 'is_open', 'balance', 'fits'],
         {}),
        ('settled', ['settled_on'], {}),
        ('odd', ['fits'], ONLY_ODD),
    ):
        op.create_index(f'ix_ledger_spells_{name}', 'ledger_spells', ['tenant_id', *columns], **where)
    op.create_index('ix_submissions_disputed', 'submissions', ['tenant_id'], sqlite_where=DISPUTED,
                    postgresql_where=DISPUTED)
    op.execute('DELETE FROM ledger_marks')


def downgrade() -> None:
    op.drop_index('ix_submissions_disputed', 'submissions')
    op.drop_table('ledger_spells')
