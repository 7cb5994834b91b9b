"""Examples that annotators have accepted, and what resembles them in other tasks."""
