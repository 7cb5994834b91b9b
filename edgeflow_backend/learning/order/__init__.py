"""Puts a project's tasks into the order in which its network is least sure of their images."""
