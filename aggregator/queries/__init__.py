"""The language of selections: its grammar, its tree, its one canonical text, its meaning.

`docs/reference/queries.md` describes it. Whoever asks a database compiles the tree
(`store.search`); `matching` says the same of plain data.
"""
