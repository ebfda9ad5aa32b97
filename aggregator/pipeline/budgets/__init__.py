"""What all requests together may do."""
