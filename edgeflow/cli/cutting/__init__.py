"""What ``edgeflow cutout`` does: which objects, into which files, and how."""
