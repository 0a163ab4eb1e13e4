"""``provd plugin new``: a package with a plugin that works, and its tests."""

from __future__ import annotations

from provd.scaffold.package import KINDS, ScaffoldError, write

__all__ = ["KINDS", "ScaffoldError", "write"]
