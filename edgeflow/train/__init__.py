"""Training: from annotated pictures to weights with a manifest and a card."""
