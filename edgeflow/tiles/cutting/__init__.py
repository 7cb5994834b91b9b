"""From a large picture to tiles and tasks."""
