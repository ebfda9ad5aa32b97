"""YAML in: every mistake with its place, settings out."""
