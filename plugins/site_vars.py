"""Variables for answer files that hold for the whole site, for a profile, or for a tag.

    [plugins.site_vars.vars]
    company = "Example Ltd"

    [plugins.site_vars.profiles.web]
    monitoring = "mon1.example.org"

    [plugins.site_vars.tags.lab]
    company = "Example Lab"

A template uses them by name: ``{{ company }}``. Values of a tag win over those of a profile, and those over the site's.
A system's tags count in their own order, the last one wins. A profile's values hold for the profiles that inherit it
too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import field

from provd.plugin.api import Plugin, Profile, Settings, System, hookimpl


class SettingsOfSiteVars(Settings, frozen=True):
    """Values by variable name; ``profiles`` and ``tags`` are such tables by profile and by tag."""

    vars: dict[str, Any] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in (self.vars, *self.profiles.values(), *self.tags.values()):
            for name in table:
                if not name.isidentifier():
                    raise ValueError(f"{name!r} cannot be the name of a template variable")


class SiteVars:
    """Looks variables up."""

    def __init__(self, settings: SettingsOfSiteVars) -> None:
        self._settings = settings

    @hookimpl
    def provd_answer_vars(self, system: System, profile: Profile) -> Mapping[str, object] | None:
        found: dict[str, object] = dict(self._settings.vars)
        for name in (*reversed(profile.parents), profile.name):
            found |= self._settings.profiles.get(name, {})
        for tag in system.tags:
            found |= self._settings.tags.get(tag, {})
        return found or None


PLUGIN = Plugin(name="site_vars", settings=SettingsOfSiteVars, build=SiteVars)
