"""Tenants, legal entities, connections, keys and users."""
