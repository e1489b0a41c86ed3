"""Webhooks out: subscriptions of other systems, and the deliveries to them."""
