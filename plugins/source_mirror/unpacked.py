"""Indexes as they are compressed in archives: plain, gzip, xz, bzip2, and Zstandard where its library is there."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

zstandard: Any
try:
    import zstandard
except ImportError:
    zstandard = None

_DAMAGED = (EOFError, lzma.LZMAError, zlib.error, *((zstandard.ZstdError,) if zstandard else ()))


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A file to read what is inside; at most one buffer of it is in memory.

    Args:
        path: where it lies.
        name: of the index; its ending tells the compression.

    Raises:
        OSError: it cannot be read or unpacked, also while it is read inside the block.
    """
    try:
        with _opened(path, Path(name).suffix) as file:
            yield file
    except _DAMAGED as error:
        raise OSError(f"{name} cannot be unpacked: {error}") from error


def _opened(path: Path, suffix: str) -> IO[bytes]:
    match suffix:
        case ".gz":
            return cast("IO[bytes]", gzip.open(path))
        case ".xz":
            return lzma.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".zst":
            if zstandard is None:
                raise OSError("to look into it needs the library zstandard: pip install provd[zstd]")
            return cast("IO[bytes]", zstandard.open(path, "rb"))
    return path.open("rb")
