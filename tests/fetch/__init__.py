"""Tests of the HTTP client and its guard."""
