"""Where images and networks are: in this process, or on other machines."""
