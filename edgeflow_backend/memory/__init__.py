"""A cache limited in bytes, and control over where large arrays lie in memory."""
