"""Copies and stories: groups of items, the index to find them, what was decided and why.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import aggregator.store.migrations.frozen.utc

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every item known so far is a group and a story of its own."""
    for name in ("group_id", "story_id"):
        op.add_column("item", sa.Column(name, _NUMBER, server_default="0", nullable=False))
    op.execute("UPDATE item SET group_id = id, story_id = id")
    op.create_index("ix_item_group_id", "item", ["group_id"])
    op.create_index("ix_item_story_id", "item", ["story_id"])
    op.create_table(
        "fingerprint",
        sa.Column("hash", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hash", "item_id", name=op.f("pk_fingerprint")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paragraph",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("groups", sa.Integer(), nullable=False),
        sa.Column("seen_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "hash", name=op.f("pk_paragraph")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "merge_log",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at", aggregator.store.migrations.frozen.utc.Utc(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("item_id", _NUMBER, nullable=False),
        sa.Column("other_id", _NUMBER, nullable=True),
        sa.Column("group_id", _NUMBER, nullable=True),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_log")),
    )
    op.create_index("ix_merge_log_item_id", "merge_log", ["item_id"])
    op.create_index("ix_merge_log_other_id", "merge_log", ["other_id"])
    op.create_table(
        "override",
        sa.Column("low_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("high_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("together", sa.Boolean(), nullable=False),
        sa.Column("at", aggregator.store.migrations.frozen.utc.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("low_id", "high_id", name=op.f("pk_override")),
    )
    op.create_index("ix_override_high_id", "override", ["high_id"])
    op.create_table(
        "served_lead",
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("item_id", _NUMBER, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("view_id", "item_id", name=op.f("pk_served_lead")),
        sqlite_with_rowid=False,
    )
