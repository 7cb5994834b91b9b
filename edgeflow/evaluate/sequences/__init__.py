"""How far one mask reaches in a sequence of frames or a stack of slices, and what that saves."""
