"""Keep that a page is behind a paywall, and why an item counts as withdrawn.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; until now only feeds withdrew items."""
    op.add_column(
        "article", sa.Column("paywalled", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("item", sa.Column("withdrawn_reason", sa.String(), nullable=True))
    op.execute("UPDATE item SET withdrawn_reason = 'feed' WHERE withdrawn_at IS NOT NULL")
