"""Makes the Makefile's environments; runs before anything is installed, so it imports no package."""
