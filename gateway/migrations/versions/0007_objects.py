"""The object store: metadata of every object, version ids, the control of everything.

Objects that are already kept get their metadata from the journal: the first entry that names one is its deposit.
"""

import json

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0007'
down_revision = '0005'
branch_labels = None
depends_on = None

ROUND = 1000


def upgrade() -> None:
    objects = op.create_table(
        'objects',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('algorithm', sa.String(length=16), nullable=False),
        sa.Column('size', gateway.tables.GROWING, nullable=False),
        sa.Column('depositor', sa.String(), nullable=False),
        sa.Column('deposited_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('destroyed_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'sha256'),
    )
    op.create_table(
        'stored_versions',
        sa.Column('place', sa.String(length=16), nullable=False),
        sa.Column('sha256', sa.String(length=64), nullable=False),
        sa.Column('version', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('place', 'sha256'),
    )
    op.create_table(
        'scrubs',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('started_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('finished_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('cursor', sa.String(length=200), nullable=False),
        *(sa.Column(name, gateway.tables.GROWING, nullable=False)
          for name in ('expected', 'objects', 'entries', 'seals', 'octets')),
        sa.Column('faults', sa.Integer(), nullable=False),
        sa.Column('healed', sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint('id'),
    )
    op.create_table(
        'scrub_faults',
        sa.Column('tenant_id', sa.String(length=36), nullable=False),
        sa.Column('id', sa.String(length=64), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('what', sa.String(length=200), nullable=False),
        sa.Column('submission_id', sa.String(), nullable=True),
        sa.Column('found_at', gateway.tables.Moment(timezone=True), nullable=False),
        sa.Column('trouble', sa.Text(), nullable=False),
        sa.Column('ended_at', gateway.tables.Moment(timezone=True), nullable=True),
        sa.Column('healed_from', sa.String(), nullable=True),
        sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
        sa.PrimaryKeyConstraint('tenant_id', 'id'),
    )
    op.create_index('ix_scrub_faults_open', 'scrub_faults', ['tenant_id', 'ended_at'])
    take_over(objects)


def downgrade() -> None:
    for table in ('scrub_faults', 'scrubs', 'stored_versions', 'objects'):
        op.drop_table(table)


def take_over(objects: sa.Table) -> None:
    """Metadata of what the journal names already, a thousand entries at a time."""
    connection = op.get_bind()
    journal = sa.table('journal', sa.column('tenant_id'), sa.column('log'), sa.column('seq'),
                       sa.column('line', sa.LargeBinary()), sa.column('actor'),
                       sa.column('at', gateway.tables.Moment(timezone=True)))
    place = sa.tuple_(journal.c.tenant_id, journal.c.log, journal.c.seq)
    last = ('', '', -1)
    known = set()
    while found := connection.execute(
        sa.select(journal).where(place > sa.tuple_(*map(sa.literal, last)))
        .order_by(journal.c.tenant_id, journal.c.log, journal.c.seq).limit(ROUND)
    ).all():
        rows = []
        for entry in found:
            if entry.tenant_id != last[0]:
                known.clear()  # one tenant's objects at a time are held in memory
            last = (entry.tenant_id, entry.log, entry.seq)
            for kept in named(entry.line):
                if kept['sha256'] not in known:
                    known.add(kept['sha256'])
                    rows.append({'tenant_id': entry.tenant_id, 'sha256': kept['sha256'], 'algorithm': 'sha256',
                                 'size': kept['size'], 'depositor': entry.actor, 'deposited_at': entry.at})
        if rows:
            connection.execute(sa.insert(objects), rows)


def named(line: bytes | str) -> list[dict]:
    """The objects of an entry; none of one that somebody spoilt, which `verify --all` tells of."""
    try:
        return json.loads(line)['objects']
    except (ValueError, KeyError, TypeError):
        return []
