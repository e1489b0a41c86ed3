"""What is open is found by number, amount, client and name; documents by their type; statements have a last day."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0021'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_submissions_type', 'submissions', ['tenant_id', 'type_code'])
    op.add_column('bank_files', sa.Column('kept_until', sa.Date(), nullable=True))
    op.create_table('ledger_lines',
                    sa.Column('tenant_id', sa.String(length=36), nullable=False),
                    sa.Column('submission_id', sa.String(length=64), nullable=False),
                    sa.Column('number', sa.String(length=255), nullable=False),
                    sa.Column('signs', sa.String(length=255), nullable=False),
                    sa.Column('client', sa.String(length=64), nullable=False),
                    sa.Column('name', sa.String(), nullable=False),
                    sa.Column('bare_name', sa.String(length=600), nullable=False),
                    sa.Column('currency', sa.String(), nullable=False),
                    sa.Column('balance', gateway.tables.Amount(length=80), nullable=False),
                    sa.Column('is_open', sa.Boolean(), nullable=False),
                    sa.Column('due_date', sa.Date(), nullable=True),
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', 'submission_id'))
    for name, columns in (('signs', ['signs']), ('balance', ['currency', 'balance']), ('client', ['client', 'is_open']),
                          ('name', ['is_open', 'bare_name', 'client'])):
        op.create_index(f'ix_ledger_lines_{name}', 'ledger_lines', ['tenant_id', *columns])
    op.create_table('ledger_marks',
                    sa.Column('tenant_id', sa.String(length=36), nullable=False),
                    sa.Column('position', gateway.tables.GROWING, nullable=False),
                    sa.Column('made_to', sa.String(length=64), nullable=True),
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id'))


def downgrade() -> None:
    op.drop_table('ledger_marks')
    op.drop_table('ledger_lines')
    op.drop_column('bank_files', 'kept_until')
    op.drop_index('ix_submissions_type', 'submissions')
