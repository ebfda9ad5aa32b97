"""Keep several authors, pictures, episodes and terms of categories with an item.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; items that were read before it have none of these."""
    op.add_column("item", sa.Column("details", sa.JSON(none_as_null=True)))
