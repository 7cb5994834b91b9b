"""Clicks needed on annotated images, after RITM's protocol (arXiv:2102.06583, section 5)."""
