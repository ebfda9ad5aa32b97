"""URL keys, origins and public suffixes."""
