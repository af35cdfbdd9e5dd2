"""The commands: the only place that prints plain text or sets an exit code."""
