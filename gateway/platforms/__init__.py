"""Connections to approved platforms (PA): one port, one file per dialect."""
