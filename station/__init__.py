"""Parallel wipe-and-load station for donated USB flash drives."""
