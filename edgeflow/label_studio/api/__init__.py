"""Label Studio's HTTP API: credentials, a client, and what carries its requests."""
