"""Run by Alembic with a connection that already holds the migration lock."""

from __future__ import annotations

from alembic import context

from aggregator.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
    transactional_ddl=True,  # SQLite's too: BEGIN IMMEDIATE holds around it
)
with context.begin_transaction():
    context.run_migrations()
