"""An object on all pages of its task, between the door and its replicas."""
