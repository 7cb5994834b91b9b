"""What is shipped: which packages and weights, under which licences, with which hashes."""
