"""Pages to be read and the links between items."""
