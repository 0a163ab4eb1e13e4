"""The composition root: reads the configuration, builds every part, owns the reactor."""

from provd.app.run import run

__all__ = ["run"]
