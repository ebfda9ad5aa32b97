"""Pack the index of fingerprints: a row for a range of hashes instead of a row for each.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import struct

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_FULL = 48  # postings


def upgrade() -> None:
    """Apply the step: what is in the index stays in it."""
    posting = op.create_table(
        "posting_list",
        sa.Column("low", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("postings", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("low", name=op.f("pk_posting_list")),
    )
    assert posting is not None
    connection = op.get_bind()
    in_order = sa.text("SELECT hash, item_id FROM fingerprint ORDER BY hash, item_id")
    read = connection.execute(in_order.execution_options(yield_per=10_000))
    rows: list[dict[str, object]] = []
    leaf: list[int] = []
    first = last = -(1 << 31)
    for value, number in read:
        if len(leaf) >= _FULL and value != last:
            rows.append({"low": first, "postings": struct.pack(f"<{len(leaf)}q", *leaf)})
            leaf, first = [], value
            if len(rows) == _AT_ONCE:
                connection.execute(sa.insert(posting), rows)
                rows = []
        leaf.append(value << 32 | number)
        last = value
    rows.append({"low": first, "postings": struct.pack(f"<{len(leaf)}q", *leaf)})
    connection.execute(sa.insert(posting), rows)
    op.drop_table("fingerprint")
