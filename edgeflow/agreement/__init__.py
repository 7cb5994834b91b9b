"""How far annotations of the same images agree, and what they agree on; pure functions."""
