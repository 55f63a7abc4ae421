"""A compose file as Compose resolves it, and as text with line numbers."""
