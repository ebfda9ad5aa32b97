"""The HTTP client beneath everything that is fetched, and its guard."""
