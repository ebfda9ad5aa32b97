"""A source through one poll: ask, read, identify, prepare, decide, store."""
