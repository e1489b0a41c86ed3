"""Bytes and model in, Report out."""
