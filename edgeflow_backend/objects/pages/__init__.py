"""One object on all pages of its task."""
