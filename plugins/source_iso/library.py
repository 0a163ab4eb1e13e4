"""The images there are, and the directory of each, read again when the image is another one."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

from provd.plugin.api import NotFound, Runtime, Task

from .index import Index, IsoError, Mark, UnreadableError, mark_of, read_index


class Library:
    """Images by name.

    Args:
        root: directory with ``NAME.iso`` files, or None.
        images: further ones.
    """

    def __init__(self, root: Path | None, images: dict[str, Path]) -> None:
        self._root, self._images = root, images
        self._runtime: Runtime | None = None
        self._known: dict[str, Index] = {}
        self._faults: dict[str, tuple[Mark, str]] = {}
        self._reading: dict[str, Task[Index | NotFound]] = {}

    def start(self, runtime: Runtime) -> None:
        """Read what is there now."""
        self._runtime = runtime
        found = sorted(self._root.glob("*.iso")) if self._root and self._root.is_dir() else []
        for name in (*self._images, *(path.stem for path in found)):
            self.now(name)

    def close(self) -> None:
        """Stop reading."""
        for task in self._reading.values():
            task.cancel()

    def path(self, name: str) -> Path | None:
        """The file of an image, None where the name means none."""
        if name in {"", ".", ".."} or "/" in name:
            return None
        if name in self._images:
            return self._images[name]
        path = self._root / f"{name}.iso" if self._root else None
        return path if path is not None and path.is_file() else None

    def now(self, name: str) -> Index | NotFound | Awaitable[Index | NotFound]:
        """The directory of an image; awaited where it is being read, read at once where no service runs."""
        path = self.path(name)
        if path is None:
            return NotFound(f"there is no image {name!r}")
        try:
            mark = mark_of(path.stat())
        except OSError as error:
            return NotFound(f"image {name}: {path}: {error.strerror}")
        known = self._known.get(name)
        if known is not None and known.mark == mark:
            return known
        fault = self._faults.get(name)
        if fault is not None and fault[0] == mark:
            return NotFound(fault[1], status=500)
        task = self._reading.get(name)
        if task is None or task.done:
            if self._runtime is None:
                return self._keep(name, mark, _read(path))  # a command that boots machines in memory: it may wait
            task = self._reading[name] = self._runtime.background(self._read(self._runtime, name, path, mark))
        return task

    async def _read(self, runtime: Runtime, name: str, path: Path, mark: Mark) -> Index | NotFound:
        return self._keep(name, mark, await runtime.in_thread(lambda: _read(path)))

    def _keep(self, name: str, mark: Mark, found: Index | IsoError) -> Index | NotFound:
        if isinstance(found, IsoError):
            # What forbids reading may end without a change of the image: it is tried again.
            if not isinstance(found, UnreadableError):
                self._faults[name] = (mark, f"image {name}: {found}")
            return NotFound(f"image {name}: {found}", status=500)
        self._known[name] = found
        self._faults.pop(name, None)
        return found


def _read(path: Path) -> Index | IsoError:
    """The directory of an image, or why it cannot be read."""
    try:
        return read_index(path)
    except IsoError as error:
        return error
