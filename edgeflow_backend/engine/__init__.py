"""The queue in front of the network."""
