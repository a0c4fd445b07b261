"""DICOM files without the person in them, for the systems that take images."""
