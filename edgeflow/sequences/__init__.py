"""Sequences of pictures: frames taken from videos and folders, and objects carried through them."""
