"""A Label Studio project with its images, fetched over the API into a folder."""
