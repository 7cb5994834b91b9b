"""How far annotations of the same images agree, and what they agree on: mostly pure functions."""
