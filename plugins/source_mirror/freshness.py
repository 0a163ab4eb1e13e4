"""What may be taken from the cache without asking, and what upstream lacks for the moment."""

from __future__ import annotations

import re
from collections.abc import Callable

_PACKAGE = re.compile(r".*\.(deb|udeb|ddeb|rpm|drpm)")
# repomd.xml names the other files of its directory with their digests in front
_BY_DIGEST = re.compile(r"(.*/)?by-hash/[^/]+/[0-9a-f]+|(.*/)?repodata/[0-9a-f]{32,}-[^/]+")
_ABSENT_S = 30.0
_DOWN_S = 15.0
_MOST_ABSENT = 10_000


def is_immutable(path: str) -> bool:
    """Whether a path never means other octets: packages and files named by their digest."""
    return bool(_PACKAGE.fullmatch(path) or _BY_DIGEST.fullmatch(path))


class Freshness:
    """Memory of one mirror; a restart forgets it, and everything is asked again.

    Args:
        clock: monotonic seconds.
        refresh_s: seconds for which an index that was checked is taken as it is.
    """

    def __init__(self, clock: Callable[[], float], refresh_s: float) -> None:
        self._clock = clock
        self._refresh_s = refresh_s
        self._checked: dict[str, float] = {}
        self._absent: dict[str, float] = {}
        self._down_until = float("-inf")

    def usable(self, path: str) -> bool:
        """Whether a complete copy is served without asking."""
        now = self._clock()
        checked = self._checked.get(path)
        fresh = checked is not None and now - checked < self._refresh_s
        return is_immutable(path) or fresh or now < self._down_until

    def is_absent(self, path: str) -> bool:
        """Whether upstream said a moment ago that there is no such file."""
        return self._clock() < self._absent.get(path, float("-inf"))

    def unchanged(self, path: str) -> None:
        """What the cache has is what upstream has."""
        self._checked[path] = self._clock()
        self._answered(path)

    def changed(self, path: str) -> None:
        """Upstream had something else than the cache.

        A changed index changes the others that it describes or that describe it, so that all are asked again; else a
        client would get a new list of packages with an old signature for up to ``refresh_s``.
        """
        self._checked.clear()
        self.unchanged(path)

    def forget(self, path: str) -> None:
        """The next request for an index asks upstream."""
        self._checked.pop(path, None)
        self._absent.pop(path, None)

    def absent(self, path: str) -> None:
        """Upstream has no such file."""
        if len(self._absent) >= _MOST_ABSENT:
            self._absent.clear()
        self._answered(path)
        self._absent[path] = self._clock() + _ABSENT_S

    def unreachable(self) -> None:
        """Upstream gave no usable answer: copies are served at once for a moment, whatever their age."""
        self._down_until = self._clock() + _DOWN_S

    def _answered(self, path: str) -> None:
        self._down_until = float("-inf")
        self._absent.pop(path, None)
