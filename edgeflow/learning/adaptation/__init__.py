"""A project's own weights, learnt from what its annotators accepted, on a laptop's CPU."""
