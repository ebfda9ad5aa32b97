"""Let an item that a further source lists stand in that source's views where it came to them.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; entries joined before it keep the place they had."""
    op.add_column(
        "entry", sa.Column("joined", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(
        "UPDATE entry SET joined = true WHERE EXISTS (SELECT 1 FROM entry AS other "
        "WHERE other.item_id = entry.item_id AND other.id < entry.id)"
    )
    op.create_index(
        "ix_entry_joined", "entry", ["sort_at", "item_id"],
        sqlite_where=sa.text("joined = 1"), postgresql_where=sa.text("joined"),
    )  # fmt: skip
