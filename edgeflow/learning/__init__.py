"""What annotators accepted, and how many clicks it took them: values only."""
