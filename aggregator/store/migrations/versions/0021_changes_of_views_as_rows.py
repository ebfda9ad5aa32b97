"""Append a row for each change of a view, keep exact numbers, and tokens in the path of a feed.

Revision ID: 0021
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "view_change",
        sa.Column("id", number, nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_view_change"),
    )
    op.create_index("ix_view_change_view_id", "view_change", ["view_id", "at"])
    op.create_table(
        "tally",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_tally"),
    )
    op.create_table(
        "feed_token",
        sa.Column("id", number, nullable=False),
        sa.Column("view_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed_token"),
        sa.UniqueConstraint("digest", name="uq_feed_token_digest"),
    )
    withdrawn = sa.text("withdrawn_at IS NOT NULL")
    op.create_index(
        "ix_item_withdrawn_at", "item", ["withdrawn_at"],
        sqlite_where=withdrawn, postgresql_where=withdrawn,
    )  # fmt: skip
    op.create_index(
        "ix_item_forgotten", "item", ["purged_at"],
        sqlite_where=sa.text("forgotten = 1"), postgresql_where=sa.text("forgotten"),
    )  # fmt: skip
    if op.get_bind().dialect.name == "sqlite":
        _tell_the_planner()


def _tell_the_planner() -> None:
    """Nearly all items are public: an index of scopes narrows nothing down.

    Without a statistic SQLite takes ten rows for any value, and reads the whole store to find the
    members of a few groups (https://www.sqlite.org/fileformat2.html#the_sqlite_stat1_table).
    """
    op.execute("ANALYZE sqlite_schema")  # makes the table of statistics
    index = "ix_item_scope_sort_at_id"
    op.execute(f"DELETE FROM sqlite_stat1 WHERE idx = '{index}'")
    op.execute(f"INSERT INTO sqlite_stat1 VALUES ('item', '{index}', '1000000 500000 2 1')")
    op.execute("ANALYZE sqlite_schema")  # reads it
