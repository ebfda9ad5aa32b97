"""URL keys and lasting links of release 0.1.0, for migration 0012."""
