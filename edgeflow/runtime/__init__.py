"""Execution of networks: one module a runtime, one table to choose from."""
