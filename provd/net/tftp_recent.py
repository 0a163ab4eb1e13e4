"""What was lately read of files: a rack that boots asks for the same loaders and kernels, all at about the same time.

Whole small files, and datagrams made ahead. A file is known by its validator, which the decision about each request
takes from the file itself; what may still be changing is not kept.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol

from provd.core.tftp_ahead import Steps
from provd.model.content import Content, FileBody
from provd.plugin.beneath import etag_of

_LIMIT: Final = 2 << 20
_SETTLED_S: Final = 2.0

Key = tuple[Hashable, ...]


class Steady(Protocol):
    """Says of what was read from it that it is what the key says."""

    steady: bool


class RecentFiles:
    """A memory of bounded size; what was not asked for longest goes first.

    Args:
        wall: seconds since the epoch.
        limit: octets.
    """

    def __init__(self, wall: Callable[[], float], limit: int = _LIMIT) -> None:
        self._wall, self._limit = wall, limit
        self._kept: OrderedDict[Key, tuple[Any, int]] = OrderedDict()
        self.octets = 0

    def get(self, key: Key) -> Any:
        """What was kept under the key, or None."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def keep(self, key: Key, value: object, octets: int) -> None:
        """Keep something of that size, as long as it is among what was asked for last."""
        self.octets += octets - self._kept.pop(key, (None, 0))[1]
        self._kept[key] = value, octets
        while self.octets > self._limit:
            self.octets -= self._kept.popitem(last=False)[1][1]

    def is_steady(self, content: Content, status: os.stat_result) -> bool:
        """Whether an open file is the one its content speaks of, and has not just been changed.

        A second change within one tick of the file system's clock would leave the validator as it was.
        """
        return etag_of(status) == content.etag and self._wall() - status.st_mtime > _SETTLED_S


def key_of(content: Content) -> Key | None:
    """What says that two requests got the same octets; None where nothing does."""
    body = content.body
    if not isinstance(body, FileBody) or not content.etag or body.offset:
        return None
    return body.path, body.beneath, content.length, content.etag


class RecentBlocks:
    """Datagrams made ahead of one file, for one block size. Implements ``provd.core.tftp_ahead.MadeBlocks``.

    Args:
        recent: where they are kept.
        key: of file, block size and roll-over.
        source: of the octets.
    """

    __slots__ = ("_key", "_recent", "_source")

    def __init__(self, recent: RecentFiles, key: Key, source: Steady) -> None:
        self._recent, self._key, self._source = recent, key, source

    def get(self, first: int) -> Steps | None:
        """Steps from block ``first`` on."""
        found: Steps | None = self._recent.get((*self._key, first))
        return found

    def keep(self, first: int, steps: Steps) -> None:
        """They were made."""
        if steps and self._source.steady:
            self._recent.keep((*self._key, first), steps, len(steps) * len(steps[0][1]))
