"""Label Studio's data formats, without HTTP."""
