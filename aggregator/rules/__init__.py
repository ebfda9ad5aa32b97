"""Which items a view selects."""
