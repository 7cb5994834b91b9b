"""Measurements: figures for people, never thresholds in tests."""
