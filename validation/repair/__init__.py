"""Corrections of a document that are certain: proposed, proved by validating, never applied unasked."""
