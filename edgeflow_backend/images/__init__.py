"""Images of tasks: from the URL in a task to the image on the model's device."""
