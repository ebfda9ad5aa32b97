"""What two texts have in common: copies of one text, and reports on one event."""
