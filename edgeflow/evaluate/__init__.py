"""Clicks needed on annotated pictures, after RITM's protocol (arXiv:2102.06583, section 5)."""
