"""Which object a prompt means."""
