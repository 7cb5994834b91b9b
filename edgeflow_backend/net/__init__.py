"""Outgoing connections: where the backend may connect, and how."""
