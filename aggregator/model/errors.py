"""Errors that a person can mend: their text says what is wrong and what to do."""

from __future__ import annotations


class OperatorError(Exception):
    """Shown as it is, without a traceback; a command ends with exit code 2."""


class StorageTrouble(OperatorError):
    """The database cannot be read or written just now; the text says why and what to do."""


class PictureLater(Exception):
    """A picture is not to be had just now: its host, or this service, has no room for it."""


class SearchTooLong(OperatorError):
    """A search takes longer than it may, or too many are under way."""

    def __init__(self) -> None:
        super().__init__("this search takes too long: ask for less, or again later")
