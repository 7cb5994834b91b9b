"""Formats that annotations are exported to: one module each, and their table."""
