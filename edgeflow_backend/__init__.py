"""Label Studio ML backend around EdgeFlow."""
