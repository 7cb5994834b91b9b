"""TIFF files: their directory, and samples of any depth."""
