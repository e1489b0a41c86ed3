"""The journal is searched by the parties of invoices; policies ask once per statement whose transaction it is."""

import sqlalchemy as sa
from alembic import op

from gateway.migrations.policies import restate_policies
from gateway.searchable import parties_id, words_of

revision = '0022'
down_revision = '0018'
branch_labels = None
depends_on = None

BATCH = 2000


def table(name: str, *keys: sa.Column, **others: sa.Column) -> sa.Table:
    return op.create_table(
        name, sa.Column('tenant_id', sa.String(length=36), nullable=False), *keys, *others.values(),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', *(key.name for key in keys)))


def upgrade() -> None:
    growing = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    words = table('party_words', sa.Column('parties', sa.String(length=32), nullable=False),
                  sa.Column('word', sa.String(length=40), nullable=False))
    invoices = table('invoice_parties', sa.Column('submission_id', sa.String(length=64), nullable=False),
                     parties=sa.Column('parties', sa.String(length=32), nullable=False))
    table('event_parties', sa.Column('parties', sa.String(length=32), nullable=False),
          sa.Column('position', growing, nullable=False))
    fill(words, invoices)
    op.create_index('ix_party_words_word', 'party_words', ['tenant_id', 'word', 'parties'])
    restate_policies(op.get_bind())


def fill(words: sa.Table, invoices: sa.Table) -> None:
    """The parties of what is there already; invoices that were erased have no words and get none."""
    connection = op.get_bind()
    numbers = sa.table('invoice_words', sa.column('tenant_id'), sa.column('submission_id'), sa.column('word'))
    known = connection.execute(sa.text(
        "SELECT tenant_id, id, number, seller_name, buyer_name, seller_siren, buyer_siren FROM submissions s "
        "WHERE EXISTS (SELECT 1 FROM invoice_words w WHERE w.tenant_id = s.tenant_id AND w.submission_id = s.id)"
    )).all()
    connection.execute(sa.text("DELETE FROM invoice_words"))
    seen: set[tuple[str, str]] = set()
    for start in range(0, len(known), BATCH):
        batch = [(*row[:3], words_of(*row[3:])) for row in known[start:start + BATCH]]
        insert(connection, numbers, [{'tenant_id': tenant, 'submission_id': invoice, 'word': word}
                                     for tenant, invoice, number, _ in batch for word in sorted(words_of(number))])
        insert(connection, invoices, [{'tenant_id': tenant, 'submission_id': invoice, 'parties': parties_id(mine)}
                                      for tenant, invoice, _, mine in batch])
        fresh = {(tenant, parties_id(mine)): mine for tenant, _, _, mine in batch
                 if (tenant, parties_id(mine)) not in seen}
        seen |= fresh.keys()
        insert(connection, words, [{'tenant_id': tenant, 'parties': parties, 'word': word}
                                   for (tenant, parties), mine in fresh.items() for word in sorted(mine)])
    connection.execute(sa.text(
        "INSERT INTO event_parties (tenant_id, parties, position) SELECT e.tenant_id, p.parties, e.position "
        "FROM events e JOIN invoice_parties p ON p.tenant_id = e.tenant_id AND p.submission_id = e.submission_id"))


def insert(connection: sa.Connection, into: sa.TableClause, rows: list[dict[str, str]]) -> None:
    if rows:
        connection.execute(sa.insert(into), rows)


def downgrade() -> None:
    for name in ('event_parties', 'invoice_parties', 'party_words'):
        op.drop_table(name)
