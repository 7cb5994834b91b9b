"""DICOM: files to volumes, and masks to segmentation objects; needs the extra ``dicom``."""
