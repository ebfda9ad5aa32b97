"""Entries and items: written once, found by their keys."""
