"""Full text: which items are to be indexed, their tokens, and queries as conditions."""
