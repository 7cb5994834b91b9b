"""One example, and all its like: further objects of the kind that an annotator has marked."""
