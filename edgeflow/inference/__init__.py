"""From prompts to a mask."""
