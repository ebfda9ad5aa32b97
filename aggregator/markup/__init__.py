"""Safe HTML, plain text and XML-safe strings."""
