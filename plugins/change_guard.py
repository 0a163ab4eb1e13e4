"""Refuses changes to systems that must be left alone.

    [plugins.change_guard]
    tags = ["protected"]           # systems with one of these are neither edited nor removed
    allowed = ["comment", "tags"]  # what may be edited all the same
    installing = true              # nor is any system while it is being installed

To change a protected system, take its tag away first: that is an edit of ``tags`` alone. Where the plugin's settings
are wrong at a start, every change is refused. List it in ``critical`` to have that while it fails, too.
"""

from __future__ import annotations

from dataclasses import fields

from provd.plugin.api import Change, Event, Plugin, Settings, System, Veto, hookimpl

_BEGINS = frozenset({"install.started"})
_ENDS = frozenset({"install.finished", "install.failed", "install.firstboot"})
_NEVER_COUNTED = frozenset({"version", "origin", "file"})


class SettingsOfChangeGuard(Settings, frozen=True):
    """What is protected, and from what."""

    tags: tuple[str, ...] = ("protected",)
    allowed: tuple[str, ...] = ("comment", "tags")
    installing: bool = True

    def __post_init__(self) -> None:
        known = {field.name for field in fields(System)}
        for name in self.allowed:
            if name not in known:
                raise ValueError(f"allowed: a system has no {name!r}")


class ChangeGuard:
    """Vetoes by tag and by what is going on."""

    def __init__(self, settings: SettingsOfChangeGuard) -> None:
        self._settings = settings
        self._allowed = frozenset(settings.allowed) | _NEVER_COUNTED
        self._installing: set[str] = set()

    @hookimpl
    def provd_event(self, event: Event) -> None:
        if event.kind in _BEGINS and event.system:
            self._installing.add(event.system)
        elif event.kind in _ENDS:
            self._installing.discard(event.system)

    @hookimpl
    def provd_change(self, change: Change) -> Veto | None:
        before = change.before
        if not isinstance(before, System):
            return None
        if isinstance(change.after, System) and self._harmless(before, change.after):
            return None
        verb = "removed" if change.after is None else "edited"
        tags = [tag for tag in before.tags if tag in self._settings.tags]
        if tags:
            return Veto(f"{before.name} has the tag {tags[0]} and is not {verb}; take the tag away first")
        if self._settings.installing and before.name in self._installing:
            return Veto(f"{before.name} is being installed and is not {verb} now")
        return None

    def _harmless(self, before: System, after: System) -> bool:
        changed = {field.name for field in fields(System) if getattr(before, field.name) != getattr(after, field.name)}
        return changed <= self._allowed


PLUGIN = Plugin(name="change_guard", settings=SettingsOfChangeGuard, build=ChangeGuard, guards=True)
