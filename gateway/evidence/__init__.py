"""The journal, its seals and the checks of both, on the service's own database and object store."""
