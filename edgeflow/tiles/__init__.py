"""Pictures that no browser shows, as tiles and back."""
