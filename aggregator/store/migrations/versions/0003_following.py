"""Following: what pages said, which are to be read, related links, budgets, robots.txt.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.migrations.frozen.utc import Utc

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every item known so far came from a feed."""
    op.add_column("item", sa.Column("depth", sa.Integer(), server_default="0", nullable=False))
    op.add_column("item", sa.Column("found_age", sa.Integer(), nullable=True))
    op.add_column(
        "item_text",
        sa.Column("from_page", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.create_table(
        "article",
        sa.Column("item_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("parent_id", _NUMBER, nullable=True),
        sa.Column("heading", sa.Text(), nullable=True),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("credit", sa.Text(), nullable=True),
        sa.Column("editor", sa.Text(), nullable=True),
        sa.Column("publisher", sa.Text(), nullable=True),
        sa.Column("source_line", sa.Text(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("sanitizer_version", sa.Integer(), nullable=False),
        sa.Column("restricted", sa.String(), nullable=True),
        sa.Column("read_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_article_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_article")),
    )
    op.create_table(
        "page",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("item_id", _NUMBER, nullable=True),
        sa.Column("parent_id", _NUMBER, nullable=True),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("heading", sa.Text(), nullable=True),
        sa.Column("wanted_text", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("dated", Utc(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("fetched_at", Utc(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("validators_url", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page")),
        sa.UniqueConstraint("scope", "key", name=op.f("uq_page_scope_key")),
    )
    op.create_index("ix_page_state_next_at", "page", ["state", "next_at"])
    op.create_index("ix_page_item_id", "page", ["item_id"])
    op.create_table(
        "related_link",
        sa.Column("item_id", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("heading", sa.Text(), nullable=True),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("target_id", _NUMBER, nullable=True),
        sa.Column("found_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_related_link_item_id")),
        sa.PrimaryKeyConstraint("item_id", "key", name=op.f("pk_related_link")),
    )
    op.create_index("ix_related_link_key", "related_link", ["key"])
    op.create_index("ix_related_link_target_id", "related_link", ["target_id"])
    op.create_table(
        "follow_budget",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("host", "day", name=op.f("pk_follow_budget")),
    )
    op.create_table(
        "robots",
        sa.Column("authority", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("fetched_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("validators_url", sa.Text(), nullable=True),
        sa.Column("failing_since", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("authority", name=op.f("pk_robots")),
    )
