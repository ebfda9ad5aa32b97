"""The pool of killable worker processes."""
