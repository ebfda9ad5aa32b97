"""Remember what is shown of an entry, how it was read, and when we last saw an item change.

What is stored keeps its `updated` and its place. The first poll after this step reads every
document once more: what it reads otherwise replaces what is served, without a revision.

Revision ID: 0015
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.migrations.frozen.utc import Utc

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the step."""
    op.add_column("entry", sa.Column("reader", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("entry", sa.Column("shown", sa.String(), nullable=True))
    op.add_column("entry", sa.Column("shown_before", sa.String(), nullable=True))
    op.add_column("entry", sa.Column("shown_at", Utc(), nullable=True))
    op.add_column(
        "entry", sa.Column("passing", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("item", sa.Column("changed_at", Utc(), nullable=False, server_default="0"))
    op.add_column(
        "item", sa.Column("forgotten", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("feed", sa.Column("document_at", Utc(), nullable=True))
    op.add_column("rendered", sa.Column("updated", Utc(), nullable=True))
    item = sa.table("item", sa.column("changed_at", Utc()), sa.column("updated", Utc()))
    op.execute(sa.update(item).values(changed_at=item.c.updated))
