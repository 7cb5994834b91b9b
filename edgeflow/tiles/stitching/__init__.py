"""What was drawn on tiles, as objects of the whole picture."""
