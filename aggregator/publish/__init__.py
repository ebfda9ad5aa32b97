"""Merged feeds out: Atom, RSS, JSON Feed and OPML."""
