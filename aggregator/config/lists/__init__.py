"""Lists of sources in and out: OPML read, YAML written, files for their owner alone."""
