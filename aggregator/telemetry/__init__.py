"""Metrics, logging and the clock."""
