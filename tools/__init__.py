"""Scripts for working on the project; not installed with it."""
