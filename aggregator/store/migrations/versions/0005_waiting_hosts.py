"""Find the hosts that must wait without looking at all of them.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.create_index("ix_host_next_at", "host", ["next_at"])
    op.create_index("ix_host_blocked_until", "host", ["blocked_until"])
