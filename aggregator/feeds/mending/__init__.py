"""Make a document of what was sent: bytes to text, and what breaks well-formedness mended."""
