"""Decoding images of strangers: looked at first, within a budget of memory, in a child process."""
