"""An article page through one visit: robots.txt, ask, read, store, decide its links."""
