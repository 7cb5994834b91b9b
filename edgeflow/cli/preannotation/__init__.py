"""The commands that make Label Studio tasks with masks."""
