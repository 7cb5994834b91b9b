"""What the status page and the metrics say of accepted objects."""
