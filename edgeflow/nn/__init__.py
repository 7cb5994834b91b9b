"""The networks: one file an idea, one file a model."""
