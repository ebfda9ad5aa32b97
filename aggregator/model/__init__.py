"""The nouns and settings, as frozen dataclasses.

`feed` what a document says, `http` what the wire said, `settings` what an operator configured,
`item` what is kept and served, `article` what a page says, `poll` when a source is asked again.
"""
