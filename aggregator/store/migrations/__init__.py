"""Alembic migrations: one file a step, applied at start."""
