"""Annotated images to the files that trainers read: readers, one form between, and writers."""
