"""What is the same: entries within a source, copies across sources, stories."""
