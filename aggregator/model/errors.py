"""Errors that a person can mend: their text says what is wrong and what to do."""

from __future__ import annotations


class OperatorError(Exception):
    """Shown as it is, without a traceback; a command ends with exit code 2."""


class StorageTrouble(OperatorError):
    """The database cannot be read or written just now; the text says why and what to do."""
