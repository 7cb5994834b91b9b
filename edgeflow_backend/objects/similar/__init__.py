"""All objects like one: a click or box that is an example, and the suggestions it gets."""
