"""What of a plugin is off and why, for a service that runs all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from provd.plugin.errors import PluginError


@dataclass(frozen=True, slots=True)
class PluginFault:
    """One fault of one plugin; ``str`` of it is the sentence that people are shown.

    Attributes:
        plugin: name of the plugin, or the folder where the name is not known.
        rule: what is wrong, with file and key path where it is a setting.
        items: names of what is off, as triggers; empty where they are not known.
        kind: what the items are; ``folder`` where ``plugin`` is a folder of plugins, ``second`` where it is there twice
            and the first is used.
        whole: the whole plugin is off, with all items; else the items alone.
        guards: in its place everything is refused that it was there to decide on.
    """

    plugin: str
    rule: str
    items: tuple[str, ...] = ()
    kind: str = "trigger"
    whole: bool = True
    guards: bool = False

    def __str__(self) -> str:
        if self.kind == "folder":
            place = "" if self.rule.startswith(self.plugin) else f"{self.plugin}: "
            return f"{place}{self.rule}; its plugins are off"
        if self.kind == "second":
            return f"plugin {self.plugin}: {self.rule}; the first is used"
        if not self.whole:
            return f"plugin {self.plugin}: {self.rule}; {self.kind} {', '.join(self.items)} is off"
        refused = ", and refuses whatever it was to decide" if self.guards else ""
        return f"plugin {self.plugin}: {self.rule}; the plugin is off{refused}"

    def same(self, other: PluginFault) -> bool:
        """Whether both tell of one fault, though the item may have another place in its list now."""
        mine, theirs = self.rule.rpartition("]")[2], other.rule.rpartition("]")[2]
        return (self.plugin, self.items, self.whole, mine) == (other.plugin, other.items, other.whole, theirs)


Tell = Callable[[PluginFault], None]
"""Hears of what is left out."""


def raise_fault(fault: PluginFault) -> None:
    """A :data:`Tell` for who leaves nothing out.

    Raises:
        PluginError: always.
    """
    raise PluginError(fault.plugin, fault.rule)
