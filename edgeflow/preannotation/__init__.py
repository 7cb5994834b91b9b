"""Label Studio tasks that begin with masks: of data that exists, or of another tool's boxes."""
