"""Weights on disk: their manifest, published ones, and their conversion."""
