"""One object, all pages: a mask carried on through a sequence of frames or a stack of slices."""
