"""What annotators accepted, kept on disk as Label Studio's API has it."""
