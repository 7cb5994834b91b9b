"""The commands for sequences of pictures."""
