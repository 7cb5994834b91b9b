"""What slow and silent clients cost an annotator."""
