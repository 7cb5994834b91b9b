"""Which images are labelled next: those that the network is least sure of, of all kinds in turn."""
