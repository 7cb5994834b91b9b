"""Networks in the form that inference needs."""
