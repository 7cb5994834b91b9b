"""Versions of the weights that projects have learnt, on disk."""
