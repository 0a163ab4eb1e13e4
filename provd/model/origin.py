"""Where a value came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that decided a value, so that ``provd explain`` can show it.

    Attributes:
        level: ``default``, ``settings``, ``distro``, ``profile``, ``system`` or ``plugin``.
        name: name of the object or plugin at that level.
        file: TOML file, or empty for the store and for defaults.
        key: key path inside it, as in ``answers.timezone``.
    """

    level: str
    name: str = ""
    file: str = ""
    key: str = ""

    def __str__(self) -> str:
        where = f" ({self.file}: {self.key})" if self.file else ""
        return f"{self.level} {self.name}".rstrip() + where
