"""HTTP around the routes: who may ask, which Label Studio asks, and answers in JSON."""
