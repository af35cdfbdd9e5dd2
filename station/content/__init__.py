"""Manifests, profiles, and the choice of what fits on a drive."""
