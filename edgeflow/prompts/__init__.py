"""Prompts: clicks, an outline, a mask."""
