"""Reminders that follow the real life of an invoice."""
