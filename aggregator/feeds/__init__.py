"""Feed documents to entries: RSS, RDF, Atom and JSON Feed."""
