"""Keep whether copies are looked for by the text of an item's page.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; pages read before it are compared once they are read again."""
    op.add_column(
        "article", sa.Column("compared", sa.Boolean(), nullable=False, server_default=sa.false())
    )
