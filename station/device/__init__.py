"""The one door to the kernel, and the simulated drive behind the same interface."""
