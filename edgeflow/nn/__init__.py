"""The networks: one module a model, with shared blocks and encoders."""
