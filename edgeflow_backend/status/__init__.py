"""What happened and what is: metrics, the journal of recent failures, and the status page."""
