"""Who is told of what views come to show, and what became of sources.

Revision ID: 0025
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    utc = sa.BigInteger
    op.create_table(
        "push_view",
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config_hash", sa.String(), nullable=False, server_default=""),
        sa.Column("looked_at", utc(), nullable=False),
        sa.Column("wanted_until", utc(), nullable=False),
        sa.PrimaryKeyConstraint("view_id", name="pk_push_view"),
    )
    op.create_table(
        "push_news",
        sa.Column("id", number, nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("item_id", number, nullable=False),
        sa.Column("updated", utc(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("at", utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push_news"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_push_news_view_id", "push_news", ["view_id", "told", "id"])
    op.create_index("ix_push_news_item_id", "push_news", ["item_id", "view_id"])
    op.create_table(
        "push_target",
        sa.Column("id", number, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False, server_default=""),
        sa.Column("address", sa.Text()),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("opener", sa.String(), nullable=False, server_default=""),
        sa.Column("secret", sa.Text()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked", sa.String()),
        sa.Column("asked_secret", sa.Text()),
        sa.Column("asked_lease", sa.Integer()),
        sa.Column("lease_until", utc()),
        sa.Column("cursor", number, nullable=False),
        sa.Column("upto", number),
        sa.Column("delivery", sa.String()),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", utc(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("delivered", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("delivered_at", utc()),
        sa.Column("made_at", utc(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_push_target"),
        sa.UniqueConstraint("key", name="uq_push_target_key"),
    )
    op.create_index("ix_push_target_due_at", "push_target", ["due_at"])
    op.create_table(
        "health_event",
        sa.Column("id", number, nullable=False),
        sa.Column("at", utc(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.String()),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("since", utc()),
        sa.PrimaryKeyConstraint("id", name="pk_health_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_health_event_at", "health_event", ["at"])
    op.create_table(
        "health_state",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", utc(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_health_state"),
    )
