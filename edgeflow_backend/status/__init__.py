"""What happened lately, and how to read it."""
