"""Where the backend may connect."""
