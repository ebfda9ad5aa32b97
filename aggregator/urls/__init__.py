"""URLs: the canonical key of a page, origins, registrable domains, and what may be shown of a URL.

`key` makes the key (with `parameters`, `unwrap` and `grade` for its steps); `origin` splits,
resolves and compares; `redact` hides what is secret.
"""
