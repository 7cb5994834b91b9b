"""Series of slices (DICOM, NIfTI) as pages of a task, and the masks drawn on them back again."""
