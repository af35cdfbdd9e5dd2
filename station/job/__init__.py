"""One drive under one profile: states, passes over the drive, and the pipeline that joins them."""
