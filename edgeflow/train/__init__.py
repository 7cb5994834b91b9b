"""Training: from annotated images to weights with a manifest and a card."""
