"""Reload: a whole new catalogue and new settings, or the old ones and the error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from twisted.logger import Logger

from provd.app.listeners import Listeners
from provd.app.services import Services
from provd.config.errors import ConfigError
from provd.config.quirks import read_quirks
from provd.config.schema import ServerConfig
from provd.config.settings import changes_needing_restart, model_classes, model_subnets
from provd.model.event import Event
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.service import load


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did.

    Attributes:
        applied: whether the new files are in force; not after a dry run either, which has no error then.
        error: why not, one sentence.
        left: key paths that changed and that only a restart applies.
        problems: objects that were left out, one sentence each.
    """

    applied: bool
    error: str = ""
    left: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Reloader:
    """Applies changed files to the running services.

    Args:
        path: ``provd.toml``.
        services: the running services.
        listeners: the sockets.
    """

    def __init__(self, path: Path, services: Services, listeners: Listeners) -> None:
        self._path, self._services, self._listeners = path, services, listeners
        self._logger = Logger(namespace="provd.reload")
        self.last = ReloadReport(applied=True)

    def preview(self) -> ReloadReport:
        """What :meth:`reload` would do; nothing is applied, and plugins are only built."""
        try:
            loaded, fault = self._read()
            if fault:
                return ReloadReport(applied=False, error=fault)
            if fault := self._lost(loaded):
                return ReloadReport(applied=False, error=fault)
        except (ConfigError, PluginError, OSError) as error:
            return ReloadReport(applied=False, error=str(error))
        left = changes_needing_restart(self._services.current.config, loaded.config)
        return ReloadReport(applied=False, left=left, problems=tuple(map(str, loaded.catalogue.problems)))

    def _read(self) -> tuple[load.Loaded, str]:
        """The files, and which objects are wrong now that were right before.

        Raises:
            ConfigError: ``provd.toml`` is wrong.
            OSError: a file cannot be read.
        """
        catalogue = self._services.current.catalogue
        loaded = load.read(self._path, catalogue)
        new = [str(problem) for problem in loaded.catalogue.problems if problem not in catalogue.problems]
        new += _new_faults(loaded.faults, self._services.host.faults)
        return loaded, "; ".join(new)

    def _lost(self, loaded: load.Loaded) -> str:
        """What works now and would not work with these files."""
        now, then = self._services.host, load.build_host(loaded, self._path)
        then.close()
        return "; ".join(_new_faults([one for one in then.faults if now.is_on(one.plugin)], now.faults))

    def reload(self) -> ReloadReport:
        """Read all files anew and apply what can be applied without a restart."""
        services, current = self._services, self._services.current
        try:
            loaded, fault = self._read()
            if fault:
                return self._refuse(fault)
            quirks = read_quirks(current.config.site_dir)
            self._swap_plugins(loaded.config)
        except (ConfigError, PluginError, OSError) as error:
            return self._refuse(str(error))
        left = changes_needing_restart(current.config, loaded.config)
        current.config = _keep(current.config, loaded.config)
        current.catalogue = loaded.catalogue
        current.subnets = model_subnets(loaded.config)
        self._listeners.use(current.config)
        services.systems.rebuild(loaded.catalogue.systems)
        services.dhcp.classify(current.config.options, model_classes(current.config), quirks)
        services.dhcp.reconfigure(current.subnets, self._listeners.dhcp.addresses)
        services.dhcp.reserve(services.systems.all())
        problems = tuple(str(problem) for problem in loaded.catalogue.problems)
        self.last = ReloadReport(applied=True, left=left, problems=problems)
        self._tell(left, problems)
        return self.last

    def _refuse(self, error: str) -> ReloadReport:
        """An edit that breaks an object keeps the whole old catalogue; at a start there is none, and it is left out."""
        self.last = ReloadReport(applied=False, error=error)
        self._logger.error("reload refused, the running configuration stays: {error}", error=error)
        return self.last

    def _swap_plugins(self, config: ServerConfig) -> None:
        """New settings make a new plugin object; where one is refused, those before it are swapped back."""
        host, old = self._services.host, self._services.current.config.plugins
        changed = [
            name for name in host.names if old.get(name, {}) != config.plugins.get(name, {}) or not host.is_on(name)
        ]
        done: list[str] = []
        try:
            for name in changed:
                host.swap(name, config.plugins.get(name, {}))
                done.append(name)
        except PluginError:
            for name in done:
                host.swap(name, old.get(name, {}), back=True)
            raise
        finally:
            if done:
                self._services.inventories.restart()
                self._services.triggers.changed()

    def _tell(self, left: tuple[str, ...], problems: tuple[str, ...]) -> None:
        for fault in self._services.host.faults:
            self._logger.error("off: {fault}", fault=str(fault))
        for problem in problems:
            self._logger.warn("left out: {problem}", problem=problem)
        if left:
            self._logger.warn("a restart is needed for: {left}", left=", ".join(left))
        self._logger.info("reloaded")
        wall = self._services.wall()
        self._services.bus.publish(
            Event("config.reloaded", wall, fields={"left": list(left), "problems": len(problems)})
        )


def _new_faults(found: Iterable[PluginFault], known: Sequence[PluginFault]) -> list[str]:
    return [str(one) for one in found if not any(one.same(other) for other in known)]


def _keep(old: ServerConfig, new: ServerConfig) -> ServerConfig:
    """The new configuration with what only a restart applies as it was, so that the next reload still reports it."""
    from msgspec.structs import replace

    return replace(
        new,
        data_dir=old.data_dir,
        site_dir=old.site_dir,
        socket=old.socket,
        user=old.user,
        identity=old.identity,
        plugin_dirs=old.plugin_dirs,
        enabled=old.enabled,
        critical=old.critical,
        listen=old.listen,
        tftp=old.tftp,
        http=old.http,
        log=old.log,
        api=old.api,
        syslog=replace(new.syslog, enabled=old.syslog.enabled, port=old.syslog.port),
    )
