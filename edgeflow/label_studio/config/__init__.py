"""Labelling configs, read as Label Studio's editor reads them."""
