"""The web pages, in French, server-rendered."""
