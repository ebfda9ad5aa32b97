"""What people and readers are served."""
