"""Explanations of rules, as TOML, and their loader."""
