"""Documents: bytes to and from the semantic model. Pure: no clock, no network, no database, no environment."""
