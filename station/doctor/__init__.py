"""Whether this machine is fit to be a station: one check a file, each finding with its remedy."""
