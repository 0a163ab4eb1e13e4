"""What to prefetch: files by name, whole suites of an apt archive, whole repositories of rpm packages."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta, Struct

from provd.plugin.api import Settings

_SUITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_~-]*(/[A-Za-z0-9][A-Za-z0-9.+_~-]*)?")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")

Words = tuple[str, ...]


class Order(Settings, frozen=True):
    """What is wanted of one mirror.

    Attributes:
        paths: files.
        suites: names below ``dists``, as in ``bookworm``.
        components: of the suites.
        archs: of the suites, as in ``amd64``.
        repos: directories with ``repodata`` of rpm packages.
    """

    paths: Annotated[Words, Meta(description="Files below the mirror.", max_length=10_000)] = ()
    suites: Annotated[Words, Meta(description="Whole apt suites, as in bookworm: indexes and packages.")] = ()
    components: Annotated[Words, Meta(description="Components of the suites.")] = ("main",)
    archs: Annotated[Words, Meta(description="Architectures of the suites, in Debian's words.")] = ("amd64",)
    repos: Annotated[
        Words, Meta(description="Whole repositories of rpm packages, as in 9/BaseOS/x86_64/os: what repodata lists.")
    ] = ()

    @property
    def is_whole(self) -> bool:
        """Whether indexes tell what is wanted."""
        return bool(self.suites or self.repos)

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            ValueError: one sentence on it.
        """
        if not (self.paths or self.is_whole):
            raise ValueError("nothing is named: set paths, suites or repos")
        for suite in self.suites:
            if not _SUITE.fullmatch(suite):
                raise ValueError(f"suites: {suite!r} is no suite; a name as in bookworm is expected")
        for key, words in (("components", self.components), ("archs", self.archs)):
            if self.suites and not words:
                raise ValueError(f"{key}: at least one is expected")
            for word in words:
                if not _WORD.fullmatch(word):
                    raise ValueError(f"{key}: {word!r} is none; a word as in {'main' if key[0] == 'c' else 'amd64'} is")


class Item(Struct, frozen=True):
    """One file that is wanted.

    Attributes:
        path: below the mirror.
        size: octets, -1 where no index tells.
        optional: upstream may lack it.
    """

    path: str
    size: int = -1
    optional: bool = False
