"""Shapes of a map, as objects on tiles."""
