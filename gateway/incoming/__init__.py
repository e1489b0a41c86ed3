"""What platforms tell us: polling and callbacks."""
