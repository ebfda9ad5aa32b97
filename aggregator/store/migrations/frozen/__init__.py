"""Code as it was when a migration was written: a migration gives the same result in every release.

Nothing here is changed or used elsewhere; `rNNNN` belongs to the migration of that number.
"""
