"""Recent answers and signs in Redis, for a backend that restarts, or several of them."""
