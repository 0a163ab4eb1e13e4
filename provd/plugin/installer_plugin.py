"""A whole plugin out of one installer, for those that need no more than answer files and signatures of media."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from provd.plugin.answers import LogSettings
from provd.plugin.contract import Plugin
from provd.plugin.contract_install import Installer
from provd.plugin.hookimpl import hookimpl
from provd.plugin.signatures import Signature, read_signatures


class LoggedInstaller:
    """Registers the installer, whose templates upload its log, and the signatures of its media.

    Args:
        settings: how often the log is uploaded; templates get it as ``log_every_s``.
        installer: the installer without it.
        signatures: TOML file with the signatures.
    """

    def __init__(self, settings: LogSettings, installer: Installer, signatures: Path) -> None:
        self._settings, self._installer, self._signatures = settings, installer, signatures

    @hookimpl
    def provd_signatures(self) -> Iterable[Signature]:
        """How the media of its families are recognised."""
        return read_signatures(self._signatures, plugin_name(self._installer))

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        """The installer."""
        return [
            replace(self._installer, defaults={**self._installer.defaults, "log_every_s": self._settings.log_every_s})
        ]


def plugin_name(installer: Installer) -> str:
    """Name of the plugin that brings an installer."""
    return f"installer_{installer.name}"


def installer_plugin(installer: Installer, signatures: Path) -> Plugin[LogSettings]:
    """The plugin ``installer_NAME``, with the setting ``log_every_s``.

    Args:
        installer: all of it; what its templates may rely on gets ``log_every_s`` beside ``defaults``.
        signatures: TOML file with the signatures of its families' install media.
    """
    return Plugin(
        name=plugin_name(installer),
        settings=LogSettings,
        build=lambda settings: LoggedInstaller(settings, installer, signatures),
    )
