"""What the search of the journal needs: indexes, words, kept searches; and long work that a person may watch."""

import sqlalchemy as sa
from alembic import op

import gateway.tables
from gateway.searchable import MOST_WORDS, words_of

revision = '0011'
down_revision = '0009'
branch_labels = None
depends_on = None

INDEXES = (
    ('ix_submissions_sha256', 'submissions', ('sha256',)),
    ('ix_submissions_sent', 'submissions', ('sent_sha256',)),
    ('ix_documents_sha256', 'documents', ('sha256',)),
    ('ix_events_at', 'events', ('at', 'position')),
    ('ix_events_kind', 'events', ('kind', 'at', 'position')),
    ('ix_events_code', 'events', ('code', 'at', 'position')),
    ('ix_events_actor', 'events', ('actor', 'at', 'position')),
    ('ix_events_sha256', 'events', ('sha256',)),
    ('ix_journal_at', 'journal', ('at',)),
    ('ix_journal_leaf', 'journal', ('leaf',)),
)
BATCH = 2000


def upgrade() -> None:
    op.drop_index('ix_events_submission', 'events')
    op.create_index('ix_events_submission', 'events', ['tenant_id', 'submission_id', 'at', 'position'])
    for name, table, columns in INDEXES:
        op.create_index(name, table, ['tenant_id', *columns])
    growing = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    invoices = op.create_table(
        'invoice_words',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('submission_id', sa.String(length=64), nullable=False),
        sa.Column('word', sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'submission_id', 'word'),
    )
    events = op.create_table(
        'event_words',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('position', growing, nullable=False),
        sa.Column('word', sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'position', 'word'),
    )
    fill(invoices, events)
    op.create_index('ix_invoice_words_word', 'invoice_words', ['tenant_id', 'word', 'submission_id'])
    op.create_index('ix_event_words_word', 'event_words', ['tenant_id', 'word', 'position'])
    op.create_table(
        'saved_searches',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('user_id', sa.String(length=64), nullable=False),
        sa.Column('name', sa.String(length=100), nullable=False),
        sa.Column('query', sa.Text(), nullable=False),
        sa.Column('created_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )
    op.create_table(
        'jobs',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('kind', sa.String(length=20), nullable=False),
        sa.Column('subject', sa.String(length=200), nullable=False),
        sa.Column('options', sa.JSON(), nullable=False),
        sa.Column('actor', sa.String(), nullable=False),
        sa.Column('created_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('started_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('finished_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('state', sa.String(length=12), nullable=False),
        sa.Column('done', growing, nullable=False),
        sa.Column('total', growing, nullable=False),
        sa.Column('step', sa.Text(), nullable=False),
        sa.Column('result', sa.JSON(), nullable=False),
        sa.Column('name', sa.String(), nullable=True),
        sa.Column('sha256', sa.String(length=64), nullable=True),
        sa.Column('size', growing, nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )
    op.create_index('ix_jobs_list', 'jobs', ['tenant_id', 'created_at', 'id'])


def fill(invoices, events) -> None:
    """The words of what is there already."""
    connection = op.get_bind()
    for batch in batches(connection, "SELECT tenant_id, id, number, seller_name, buyer_name, seller_siren, buyer_siren "
                                     "FROM submissions"):
        insert(connection, invoices, [
            {'tenant_id': row[0], 'submission_id': row[1], 'word': word}
            for row in batch for word in sorted(words_of(*row[2:]))])
    for batch in batches(connection, "SELECT tenant_id, position, reason FROM events WHERE reason IS NOT NULL"):
        insert(connection, events, [
            {'tenant_id': row[0], 'position': row[1], 'word': word}
            for row in batch for word in sorted(words_of(row[2]))[:MOST_WORDS]])


def batches(connection, statement):
    found = connection.execute(sa.text(statement))
    while batch := found.fetchmany(BATCH):
        yield batch


def insert(connection, table, rows) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def downgrade() -> None:
    for table in ('jobs', 'saved_searches', 'event_words', 'invoice_words'):
        op.drop_table(table)
    for name, table, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_index('ix_events_submission', 'events')
    op.create_index('ix_events_submission', 'events', ['tenant_id', 'submission_id', 'position'])
