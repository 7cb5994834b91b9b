"""Caches, and where their memory lies."""
