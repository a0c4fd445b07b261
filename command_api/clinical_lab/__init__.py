"""What the clinical laboratory adds to the command API: paths of its own, and the mail that it sends."""
