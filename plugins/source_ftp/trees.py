"""Which trees the listener serves."""

from __future__ import annotations

from typing import Final

TREES: Final = ("iso", "tree", "mirror")
"""First parts of the paths that are served."""
