"""Article pages to articles, and their related links."""
