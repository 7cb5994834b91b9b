"""What annotation files of other tools say, one module a format, checked and not yet drawn."""
