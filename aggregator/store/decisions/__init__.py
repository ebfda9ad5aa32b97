"""What is decided afterwards or by hand: groups, updates, what is forgotten."""
