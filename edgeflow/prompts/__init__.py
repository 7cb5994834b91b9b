"""What a person gives: clicks, an outline, a mask."""
