"""HTTP itself: bounded connections, bodies nobody wants, headers, what a client accepts."""
