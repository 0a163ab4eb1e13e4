"""What becomes of a change to distros and profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class CatalogueChangeError(ValueError):
    """A change is not made; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        kind: ``refused``, ``not-found`` or ``failed``.
    """

    def __init__(self, sentence: str, *, field: str = "", kind: str = "refused") -> None:
        super().__init__(sentence)
        self.field, self.kind = field, kind


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did, or would do.

    Attributes:
        applied: False for a dry run.
        files: path and difference of every file, as unified diff; what looks secret is hidden.
        objects: ``distro NAME`` or ``profile NAME`` to its new revision, empty for what is gone.
        systems: names of the systems that follow to another profile name.
        systems_removed: names of those that go with their profile.
    """

    applied: bool
    files: Mapping[str, str] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    systems: tuple[str, ...] = ()
    systems_removed: tuple[str, ...] = ()
