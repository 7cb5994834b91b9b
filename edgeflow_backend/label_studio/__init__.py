"""How the backend talks to the Label Studios in its settings."""
