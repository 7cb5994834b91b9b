"""Prompts that were submitted without their masks: found, listed, and answered afterwards."""
