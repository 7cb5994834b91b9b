"""The threats, a module for each kind, and the guards against each."""
