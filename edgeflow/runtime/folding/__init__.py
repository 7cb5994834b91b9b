"""A network in the form that inference needs."""
