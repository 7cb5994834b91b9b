"""Large pictures, read window by window."""
