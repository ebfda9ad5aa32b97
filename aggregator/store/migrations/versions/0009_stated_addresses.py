"""Remember the address on another site that an item's page names as its own.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; pages read before it say nothing about it."""
    op.add_column("article", sa.Column("stated_key", sa.String(), nullable=True))
    op.create_index("ix_article_stated_key", "article", ["stated_key"])
