"""Single values as a person wrote them: each kind reads one, and has its JSON Schema."""
