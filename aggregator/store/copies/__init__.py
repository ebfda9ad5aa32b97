"""Placing an item among others: the same text, the same story."""
