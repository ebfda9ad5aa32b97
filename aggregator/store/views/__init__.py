"""What a view selects, in which order, and what it serves."""
