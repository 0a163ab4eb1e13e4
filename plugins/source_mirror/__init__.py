"""Packages through provd: a pull-through cache of package mirrors.

    [plugins.source_mirror.mirrors.rocky]
    upstream = "http://MIRROR/rocky"

A distro's ``tree`` or a profile's ``source`` names it as ``mirror:rocky/9/BaseOS/x86_64/os``.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from msgspec import field

from provd.plugin.api import BootPlan, InstallSource, Location, Plugin, Settings, hookimpl


class Mirror(Settings, frozen=True):
    """``upstream``: URL of the tree that is mirrored."""

    upstream: str


class SettingsOfSourceMirror(Settings, frozen=True):
    """``mirrors``: by name."""

    mirrors: dict[str, Mirror] = field(default_factory=dict)
    data_dir: str = ""


class SourceMirror:
    """Resolves ``mirror:NAME/PATH``."""

    def __init__(self, settings: SettingsOfSourceMirror) -> None:
        self._mirrors = settings.mirrors

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource(name="mirror", schemes=("mirror",), resolve=self.resolve)]

    def resolve(self, url: str, plan: BootPlan) -> Location | None:
        """Where the machine of ``plan`` reaches the mirror; None where it is not configured."""
        path = url.removeprefix("mirror:").strip("/")
        if path.partition("/")[0] not in self._mirrors:
            return None
        return Location("http", plan.server, f"/mirror/{quote(path)}", plan.http_port if plan.http_port != 80 else 0)


PLUGIN = Plugin(name="source_mirror", settings=SettingsOfSourceMirror, build=SourceMirror)
