"""The service: HTTP, database, work queue, platforms, console."""
