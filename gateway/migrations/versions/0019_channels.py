"""Chat and SMS; mails that came back; a reminder is found by the id of its mail, a client has a number for SMS."""

import sqlalchemy as sa
from alembic import op

import gateway.tables

revision = '0019'
down_revision = '0017'
branch_labels = None
depends_on = None

MOMENT = gateway.tables.Moment(timezone=True)


def table(name: str, *columns: sa.schema.SchemaItem) -> None:
    """A table of a tenant."""
    op.create_table(name, sa.Column('tenant_id', sa.String(length=36), nullable=False),
                    sa.Column('id', sa.String(length=64), nullable=False), *columns,
                    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id']),
                    sa.PrimaryKeyConstraint('tenant_id', 'id'))


def upgrade() -> None:
    table('channels',
          sa.Column('name', sa.String(length=80), nullable=False),
          sa.Column('service', sa.String(length=80), nullable=False),
          sa.Column('url', sa.LargeBinary(), nullable=False),
          sa.Column('to_clients', sa.Boolean(), nullable=False),
          sa.Column('rules', sa.JSON(), nullable=False),
          sa.Column('cursor', gateway.tables.GROWING, nullable=False),
          sa.Column('created_at', MOMENT, nullable=False),
          sa.Column('disabled_at', MOMENT, nullable=True),
          sa.Column('removed_at', MOMENT, nullable=True),
          sa.Column('trouble', sa.Text(), nullable=True))
    table('channel_messages',
          sa.Column('channel_id', sa.String(length=64), nullable=False),
          sa.Column('intent', sa.String(length=80), nullable=False),
          sa.Column('event', sa.String(length=20), nullable=False),
          sa.Column('roles', sa.JSON(), nullable=False),
          sa.Column('positions', sa.JSON(), nullable=False),
          sa.Column('created_at', MOMENT, nullable=False),
          sa.Column('state', sa.String(length=10), nullable=False),
          sa.Column('attempts', sa.Integer(), nullable=False),
          sa.Column('tried_at', MOMENT, nullable=True),
          sa.Column('trouble', sa.Text(), nullable=True),
          sa.UniqueConstraint('tenant_id', 'channel_id', 'intent'))
    op.create_index('ix_channel_messages_list', 'channel_messages', ['tenant_id', 'channel_id', 'created_at'])
    op.create_index('ix_channel_messages_state', 'channel_messages', ['tenant_id', 'state'])
    table('returned_mails',
          sa.Column('received_at', MOMENT, nullable=False),
          sa.Column('size', sa.Integer(), nullable=False),
          sa.Column('kind', sa.String(length=12), nullable=False),
          sa.Column('outcome', sa.String(length=12), nullable=False),
          sa.Column('submission_id', sa.String(length=64), nullable=True),
          sa.Column('message_id', sa.String(length=255), nullable=True),
          sa.Column('status', sa.String(length=16), nullable=True),
          sa.Column('words', sa.JSON(), nullable=False))
    op.create_index('ix_returned_mails_list', 'returned_mails', ['tenant_id', 'received_at'])
    op.add_column('reminder_clients', sa.Column('phone', sa.String(length=16), nullable=True))
    op.add_column('reminder_clients', sa.Column('by_sms', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('decisions', sa.Column('message_id', sa.String(length=255), nullable=True))
    op.create_index('ix_decisions_message', 'decisions', ['message_id'])
    inner = ("json_extract(facts, '$.message_id')" if op.get_bind().dialect.name == 'sqlite'
             else "facts ->> 'message_id'")
    op.execute(f"UPDATE decisions SET message_id = {inner} WHERE channel IN ('smtp', 'spool')")


def downgrade() -> None:
    op.drop_index('ix_decisions_message', 'decisions')
    op.drop_column('decisions', 'message_id')
    op.drop_column('reminder_clients', 'by_sms')
    op.drop_column('reminder_clients', 'phone')
    for name in ('returned_mails', 'channel_messages', 'channels'):
        op.drop_table(name)
