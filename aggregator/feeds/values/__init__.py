"""Read one value of an entry, whatever the format: dates, names, addresses, files."""
