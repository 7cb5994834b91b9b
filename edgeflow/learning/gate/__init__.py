"""Whether weights that learnt from a project are served: clicked, compared, and judged."""
