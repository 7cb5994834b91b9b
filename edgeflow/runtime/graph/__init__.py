"""Networks as graphs for runtimes other than PyTorch."""
