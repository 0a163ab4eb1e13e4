"""`provd run`: from a configuration file to a process that ends with an exit status."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path

from twisted.logger import Logger

from provd.app import collector, logs, privileges
from provd.app.collector import Collector
from provd.app.listeners import ListenError
from provd.app.privileges import PrivilegeError
from provd.app.reactor import the_reactor
from provd.compiled import is_compiled
from provd.config.errors import ConfigError
from provd.config.journal import finish
from provd.config.schema import ServerConfig
from provd.plugin.errors import PluginError
from provd.service.load import read
from provd.store.interface import StoreError
from provd.store.lease_log_file import LOG_ENDS

FAILED = 1
"""Exit status of a start that was refused; the reason stands on standard error."""


def run(path: Path) -> int:
    """Run the service until it is told to stop.

    Args:
        path: ``provd.toml``.

    Returns:
        0 after a clean stop, 1 where it could not start.
    """
    collector.wait()
    try:
        loaded = read(path)
        if finish(Path(loaded.config.site_dir)):
            loaded = read(path)
        prepare(loaded.config)
        privileges.must_read([Path(os.__file__).parent, Path(__file__).parents[1]], loaded.config.user)
        reactor = the_reactor()
        from provd.app.server import Server, install_signals

        server = Server(reactor, path, loaded, os.environ)
    except (ConfigError, PluginError, PrivilegeError, StoreError, OSError) as error:
        return _refused(error)
    logs.begin(sys.stdout, loaded.config.log.level, loaded.config.log.format, journal="JOURNAL_STREAM" in os.environ)
    refused: list[int] = []

    Logger(namespace="provd.dhcp").info(
        "the DHCP path runs {form}", form="compiled" if is_compiled() else "from its sources"
    )

    def start() -> None:
        try:
            server.start()
            heap.start()
            server.ready()
        except (PluginError, ListenError, StoreError, OSError) as error:
            refused.append(_refused(error))
            reactor.stop()

    heap = Collector(reactor, server.services.dhcp.counters.received.total)
    install_signals(server, reactor)
    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", heap.stop)
    reactor.run()
    return refused[0] if refused else 0


def prepare(config: ServerConfig) -> None:
    """Make provd's own folders and become its user, before any file is opened or any thread is started.

    The two capabilities that are kept bind low ports and raw sockets afterwards, also on an interface that appears
    much later.

    Raises:
        PrivilegeError: the configured user does not exist.
        OSError: a folder cannot be made.
    """
    data, run_dir = Path(config.data_dir), Path(config.socket).parent
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o750)
    store = [data / f"provd.db{suffix}" for suffix in ("", "-wal", "-shm", ".lock", *LOG_ENDS)]
    folders = [data / name for name in ("payload", "image", "mirror")]
    _raise_descriptor_limit()
    privileges.own([data, *store, *folders], config.user)
    privileges.own_socket_folder(Path(config.socket), config.user)
    privileges.drop(config.user)


def _raise_descriptor_limit() -> None:
    """Every transfer and connection has a descriptor; the soft limit of a login shell is far below the hard one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _refused(error: Exception) -> int:
    said = str(error)
    if isinstance(error, OSError) and isinstance(file := error.filename2 or error.filename, str | bytes):
        said = f"{os.fsdecode(file)}: {error.strerror}"
    sys.stderr.write(f"provd: {said}\n")
    return FAILED
