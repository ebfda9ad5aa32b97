"""Keep the terms of recent items, and an index of the rare ones, by which stories are found.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step; the items of the last days are read into it by the next upkeep."""
    op.create_table(
        "term_posting_list",
        sa.Column("low", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("postings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("low"),
    )
    op.create_table(
        "term_count",
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("documents", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("term"),
    )
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "item_terms",
        sa.Column("item_id", number, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"]),
        sa.PrimaryKeyConstraint("item_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE term_posting_list SET "
            "(fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)"
        )
        op.execute(
            "ALTER TABLE term_count SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"
        )
