"""Leave room in PostgreSQL's pages of the packed index: a leaf is rewritten within its page.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; pages written before it come to it as they are rewritten."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE posting_list SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)"
        )
