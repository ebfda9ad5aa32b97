"""The ASGI application: merged feeds, pages, health and metrics."""
