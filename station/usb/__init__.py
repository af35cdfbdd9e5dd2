"""Ports and their labels, and the guard: why a drive must not be touched."""
