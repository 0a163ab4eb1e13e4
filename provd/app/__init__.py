"""The composition root: reads the configuration, builds every part, owns the reactor."""
