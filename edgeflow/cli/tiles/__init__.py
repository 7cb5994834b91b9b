"""The commands for pictures that no browser shows."""
