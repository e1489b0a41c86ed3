"""Statuses of an invoice: taken in, derived, and sent as the seller."""
