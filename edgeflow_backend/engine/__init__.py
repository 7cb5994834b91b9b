"""The queue in front of the network: whose step is next, and which run together."""
