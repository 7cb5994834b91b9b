"""Label Studio's calls that bring no click: predictions for whole tasks, events, training."""
