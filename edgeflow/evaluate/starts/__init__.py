"""Imperfect masks that clicks begin from, after FocalClick's DAVIS585 (arXiv:2204.02574)."""
