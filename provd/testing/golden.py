"""Golden files: what a plugin renders, kept beside its tests, so that a change of it is seen."""

from __future__ import annotations

from pathlib import Path


class Golden:
    """Texts in a folder.

    Args:
        folder: where they are.
        write: write them anew (``--provd-golden-write``) instead of comparing.
    """

    def __init__(self, folder: Path, *, write: bool) -> None:
        self._folder, self._write = folder, write

    def check(self, name: str, text: str) -> None:
        """Compare ``text`` with the file ``name``.

        Raises:
            AssertionError: they differ, or the file is not there yet; pytest shows where.
        """
        path = self._folder / name
        if self._write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.is_file(), f"{path} is not there: write it with pytest --provd-golden-write, and read it"
        assert text == path.read_text(encoding="utf-8")
