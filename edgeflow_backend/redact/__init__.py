"""Words without secrets."""
