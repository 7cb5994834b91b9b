"""Makes the Makefile's environments, before anything is installed: it imports no package."""
