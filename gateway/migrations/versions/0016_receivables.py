"""What the bank says and what lateness costs: files, movements, allocations, claims, rates."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

MOMENT = gateway.tables.Moment(timezone=True)
AMOUNT = gateway.tables.Amount(length=80)


def text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column:
    """A column of text."""
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def long(name: str, *, nullable: bool = False) -> sa.Column:
    """A column of long text."""
    return sa.Column(name, sa.Text(), nullable=nullable)


def plain(name: str, kind: object, *, nullable: bool = False) -> sa.Column:
    """A column of another type."""
    return sa.Column(name, kind, nullable=nullable)


def table(name: str, *columns: sa.Column, unique: str | None = None) -> None:
    """A table of a tenant whose rows have ids."""
    op.create_table(name, text('tenant_id', 36), text('id', 64), *columns,
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', 'id'),
                    *((sa.UniqueConstraint('tenant_id', unique),) if unique else ()))


def upgrade() -> None:
    op.create_index('ix_submissions_buyer', 'submissions', ['tenant_id', 'buyer_siren'])
    table('bank_files', text('sha256', 64), plain('size', sa.Integer()), text('name', 255), text('version', 20),
          text('message_id', 64), plain('received_at', MOMENT), text('actor'), plain('added', sa.Integer()),
          plain('repeated', sa.Integer()), plain('remarks', sa.JSON()), unique='sha256')
    op.create_index('ix_bank_files_list', 'bank_files', ['tenant_id', 'received_at', 'id'])
    table('bank_movements', text('file_id', 64), text('key', 64), text('content', 64), text('account', 64),
          text('statement', 64), plain('amount', AMOUNT), text('currency', 3), plain('booked_on', sa.Date()),
          plain('value_on', sa.Date()), plain('returned', sa.Boolean()), text('reference', 64, nullable=True),
          text('end_to_end', 64, nullable=True), text('name', 255, nullable=True), text('iban', 64, nullable=True),
          long('remittance'), text('creditor_reference', 64, nullable=True), text('state', 12),
          plain('decided_at', MOMENT, nullable=True), text('decided_by', nullable=True),
          long('decided_reason', nullable=True), unique='key')
    op.create_index('ix_bank_movements_list', 'bank_movements', ['tenant_id', 'state', 'booked_on', 'id'])
    op.create_index('ix_bank_movements_content', 'bank_movements', ['tenant_id', 'content'])
    op.create_index('ix_bank_movements_file', 'bank_movements', ['tenant_id', 'file_id'])
    op.create_index('ix_bank_movements_iban', 'bank_movements', ['tenant_id', 'iban'])
    table('bank_allocations', text('movement_id', 64), text('submission_id', 64), text('claim_id', 64, nullable=True),
          text('payment_id', 64), plain('amount', AMOUNT), plain('at', MOMENT), text('actor'))
    op.create_index('ix_bank_allocations_movement', 'bank_allocations', ['tenant_id', 'movement_id'])
    table('claims', text('submission_id', 64), text('kind', 12), text('once', 120), plain('amount', AMOUNT),
          text('currency', 3), plain('claimed_on', sa.Date()), plain('first_day', sa.Date(), nullable=True),
          plain('last_day', sa.Date(), nullable=True), plain('basis', sa.JSON()), plain('created_at', MOMENT),
          text('actor'), plain('waived', AMOUNT, nullable=True), plain('waived_at', MOMENT, nullable=True),
          text('waived_by', nullable=True), long('waived_reason', nullable=True), unique='once')
    op.create_index('ix_claims_submission', 'claims', ['tenant_id', 'submission_id'])
    table('claim_payments', text('claim_id', 64), plain('amount', AMOUNT), text('currency', 3),
          plain('paid_on', sa.Date()), text('reference', 140, nullable=True), plain('recorded_at', MOMENT),
          text('actor'))
    op.create_index('ix_claim_payments_claim', 'claim_payments', ['tenant_id', 'claim_id'])
    table('penalty_terms', plain('rate', AMOUNT, nullable=True), text('day_count', 8), plain('clients', sa.JSON()))
    table('half_year_rates', plain('refinancing', AMOUNT), plain('legal', AMOUNT), long('source'),
          plain('added_at', MOMENT), text('actor'))


def downgrade() -> None:
    for name in ('half_year_rates', 'penalty_terms', 'claim_payments', 'claims', 'bank_allocations',
                 'bank_movements', 'bank_files'):
        op.drop_table(name)
    op.drop_index('ix_submissions_buyer', 'submissions')
