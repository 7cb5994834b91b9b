"""``edgeflow-backend doctor``: checks the whole setup and says how to fix what is wrong."""
