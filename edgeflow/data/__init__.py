"""Annotated images in the layouts that the field uses, behind one small protocol."""
