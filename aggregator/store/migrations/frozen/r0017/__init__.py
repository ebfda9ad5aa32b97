"""URL keys of release 0.2.0, for migration 0017; the lists that had not changed are r0012's."""
