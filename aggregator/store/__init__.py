"""SQLAlchemy Core tables and queries over SQLite and PostgreSQL."""
