"""The verbs: poll a source, follow a link, publish a view, apply a configuration."""
