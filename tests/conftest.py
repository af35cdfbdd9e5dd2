"""What holds for all tests."""

from hypothesis import settings

# Machines are noisy: how long an example takes says nothing about whether the promise holds.
settings.register_profile("station", deadline=None)
settings.load_profile("station")
