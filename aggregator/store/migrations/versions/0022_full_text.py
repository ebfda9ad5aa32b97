"""An index of the words of items, and the list of those that are to be indexed.

Revision ID: 0022
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0022"
down_revision = "0017"
branch_labels = None
depends_on = None

# Which changes of a row change what is found: the columns looked at, and the item.
_CHANGES = {
    "item": (("title", "author", "purged_at", "withdrawn_at"), "id"),
    "item_text": (("text", "from_page"), "item_id"),
    "article": (("text",), "item_id"),
}


def upgrade() -> None:
    """Apply the step; what is stored already is indexed in the background afterwards."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    words = sa.LargeBinary().with_variant(TSVECTOR(), "postgresql")
    op.create_table(
        "search_document",
        sa.Column("item_id", number, autoincrement=False, nullable=False),
        sa.Column("words", words, nullable=False),
        sa.PrimaryKeyConstraint("item_id"),
    )
    op.create_table(
        "search_pending",
        sa.Column("id", number, nullable=False),
        sa.Column("item_id", number, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    # The tokens are ours: parted by spaces, and no character in them parts them further.
    op.execute(
        "CREATE VIRTUAL TABLE search_words USING fts5(title, author, text, page, content='', "
        "columnsize=0, tokenize=\"ascii tokenchars '+#_'\")"
    )
    mark = "BEGIN INSERT INTO search_pending (item_id) VALUES ({row}.{key}); END"
    for table, (columns, key) in _CHANGES.items():
        differs = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)
        op.execute(
            f"CREATE TRIGGER search_{table}_changed AFTER UPDATE OF {', '.join(columns)} "
            f"ON {table} WHEN {differs} {mark.format(row='NEW', key=key)}"
        )
        if table != "item":
            op.execute(
                f"CREATE TRIGGER search_{table}_gone AFTER DELETE ON {table} "
                f"{mark.format(row='OLD', key=key)}"
            )
        if table != "item_text":  # it comes with its item
            op.execute(
                f"CREATE TRIGGER search_{table}_new AFTER INSERT ON {table} "
                f"{mark.format(row='NEW', key=key)}"
            )


def _postgresql() -> None:
    op.execute("CREATE INDEX ix_search_document_words ON search_document USING gin (words)")
    for table, (columns, key) in _CHANGES.items():
        for event, row in (("new", "NEW"), ("gone", "OLD")):
            op.execute(
                f"CREATE FUNCTION search_mark_{table}_{event}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $$ BEGIN INSERT INTO search_pending (item_id) VALUES ({row}.{key}); "
                "RETURN NULL; END $$"
            )
        differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns)
        op.execute(
            f"CREATE TRIGGER search_{table}_changed AFTER UPDATE OF {', '.join(columns)} "
            f"ON {table} FOR EACH ROW WHEN ({differs}) "
            f"EXECUTE FUNCTION search_mark_{table}_new()"
        )
        if table != "item":
            op.execute(
                f"CREATE TRIGGER search_{table}_gone AFTER DELETE ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION search_mark_{table}_gone()"
            )
        if table != "item_text":
            op.execute(
                f"CREATE TRIGGER search_{table}_new AFTER INSERT ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION search_mark_{table}_new()"
            )
