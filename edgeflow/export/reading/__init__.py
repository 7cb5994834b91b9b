"""Annotated images of every source: Label Studio's tasks, datasets of any layout."""
