"""Requests in flight as rows of their own, a host's health, WebSub subscriptions and pushes.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.migrations.frozen.utc import Utc

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Leases of hosts under way are dropped: they end within two minutes anyway."""
    for name in ("owner", "lease_until", "failures"):
        op.drop_column("host", name)
    op.add_column("host", sa.Column("article_next_at", Utc(), nullable=True))
    op.add_column("host", sa.Column("health", sa.Text(), nullable=True))
    op.create_index("ix_feed_host", "feed", ["host", "active", "next_poll_at"])
    op.create_table(
        "host_slot",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("lease_until", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_host_slot")),
    )
    op.create_index("ix_host_slot_host", "host_slot", ["host"])
    op.create_index("ix_host_slot_address", "host_slot", ["address"])
    op.create_table(
        "subscription",
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("old_token", sa.String(), nullable=True),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("asked_at", Utc(), nullable=False),
        sa.Column("due_at", Utc(), nullable=True),
        sa.Column("lease_until", Utc(), nullable=True),
        sa.Column("pushes", sa.Integer(), nullable=False),
        sa.Column("pushed_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("token", name=op.f("uq_subscription_token")),
    )
    op.create_index("ix_subscription_due_at", "subscription", ["due_at"])
    op.create_index("ix_subscription_old_token", "subscription", ["old_token"])
    op.create_table(
        "push",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push")),
    )
