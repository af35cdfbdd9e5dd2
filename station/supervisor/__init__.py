"""Owns the worker threads and wires everything together."""
