"""Masks: their place in an image, cleaning, scores and other forms."""
