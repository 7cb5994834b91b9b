"""Clicks that do not fall on the deepest point of an error: how much depends on where they fall."""
