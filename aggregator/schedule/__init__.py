"""When a source is polled next, and why."""
