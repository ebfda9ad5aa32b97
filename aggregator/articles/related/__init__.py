"""Related-news links of an article page, found by structure."""
