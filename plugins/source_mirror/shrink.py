"""What leaves a cache: the files used longest ago, or those somebody names. It walks directories, so in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cache import FACTS


@dataclass(frozen=True, slots=True)
class Use:
    """One complete file.

    Attributes:
        path: below the mirror.
        size: octets.
        used: seconds since the epoch of its last use.
    """

    path: str
    size: int
    used: float


def uses(tree: Path, facts: Path) -> Iterator[Use]:
    """Every file below ``tree``; the modification time of its facts tells the last use. Links are not followed."""
    for directory, _, names in os.walk(tree):
        for name in names:
            path = Path(directory, name)
            relative = path.relative_to(tree).as_posix()
            with suppress(OSError):
                size = path.lstat().st_size
                try:
                    used = (facts / (relative + FACTS)).lstat().st_mtime
                except OSError:  # without facts it is no use to anybody
                    used = 0.0
                yield Use(relative, size, used)


def remove(tree: Path, facts: Path, leaves: Callable[[str], bool], *, dry_run: bool) -> tuple[int, int]:
    """Remove the files that ``leaves`` names, or only count them; how many, and how many octets."""
    leaving = [one for one in uses(tree, facts) if leaves(one.path)]
    if dry_run:
        return len(leaving), sum(one.size for one in leaving)
    return _remove(tree, facts, iter(leaving))


def shrink(tree: Path, facts: Path, most: int, spared: Collection[str]) -> tuple[int, int]:
    """Remove what was used longest ago until a tenth of ``most`` is free, but nothing of ``spared``.

    Returns:
        Files that were removed, and octets that are left.
    """
    found = sorted(uses(tree, facts), key=lambda one: one.used)
    left = sum(one.size for one in found)
    leaving = []
    for one in found:
        if left <= most - most // 10:
            break
        if one.path not in spared:
            leaving.append(one)
            left -= one.size
    return _remove(tree, facts, iter(leaving))[0], left


def _remove(tree: Path, facts: Path, leaving: Iterator[Use]) -> tuple[int, int]:
    files = octets = 0
    for one in leaving:
        with suppress(OSError):
            # the facts first: a file without them does not count
            (facts / (one.path + FACTS)).unlink(missing_ok=True)
            (tree / one.path).unlink()
            files, octets = files + 1, octets + one.size
    return files, octets
