"""The ledger is made again: documents that ended are in none, and a corrected invoice below zero is a credit of its own.

What is kept is drawn from documents, payments and events; the next who asks makes it, a part at a time.
"""

from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('DELETE FROM ledger_marks')


def downgrade() -> None:
    """Nothing to undo: the ledger of an older version is made the same way."""
