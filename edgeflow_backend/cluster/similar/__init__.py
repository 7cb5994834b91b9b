"""Searches for similar objects, between the door and its replicas."""
