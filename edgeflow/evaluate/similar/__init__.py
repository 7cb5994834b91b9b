"""How many of an example's like are found, and the work that this saves an annotator."""
