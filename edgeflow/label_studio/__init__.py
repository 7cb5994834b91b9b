"""Label Studio's data formats, and its API."""
