"""The installer that a plugin registers."""

from __future__ import annotations

from provd.plugin.api import Installer, LogSettings, Plugin
from provd.plugin.installer_plugin import LoggedInstaller


def installer_of(plugin: Plugin[LogSettings], **settings: int) -> Installer:
    """Of a plugin that is one installer; ``settings`` as in its table of ``provd.toml``."""
    built = plugin.build(LogSettings(**settings))
    assert isinstance(built, LoggedInstaller)
    (only,) = built.provd_installers()
    return only
