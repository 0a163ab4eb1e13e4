"""Settings of the whole suite."""

from hypothesis import settings

# How long an example takes says something about the machine and what else runs on it, nothing about the code.
settings.register_profile("provd", deadline=None)
settings.load_profile("provd")
