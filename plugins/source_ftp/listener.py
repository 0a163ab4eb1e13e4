"""The FTP server (RFC 959) on Twisted's: anonymous, passive, read only."""

# ruff: noqa: N802, N815 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call, misc"

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from twisted.cred.checkers import AllowAnonymousAccess
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.protocols import ftp
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.plugin.api import Runtime

from .shell import TreeShell

if TYPE_CHECKING:
    from . import SettingsOfSourceFtp

_PER_ADDRESS: Final = 16
_LONGEST_LINE: Final = 1024


def _plain(host: str) -> str:
    """An address as it is written where it is not mapped into IPv6 (RFC 4291 section 2.5.5.2)."""
    return host.lower().removeprefix("::ffff:")


class TreeFtp(ftp.FTP):
    """One control connection."""

    MAX_LENGTH = _LONGEST_LINE
    transport: Any
    dtpPort: Any

    def ftp_PORT(self, address: str) -> Any:
        """Active mode: refused (RFC 2577 section 3)."""
        return ftp.CMD_NOT_IMPLMNTD, "PORT"

    ftp_EPRT = ftp_PORT

    def getDTPPort(self, factory: Any, interface: str = "") -> Any:
        """A port for data, which only the machine of this connection may call (RFC 2577 section 4)."""
        peer, build = _plain(self.transport.getPeer().host), factory.buildProtocol
        factory.buildProtocol = lambda address: build(address) if _plain(address.host) == peer else None
        return super().getDTPPort(factory, interface)

    def reply(self, key: str, *args: Any) -> None:
        """What PASV says is what the settings say."""
        advertise = getattr(self.factory, "advertise", "")
        if key == ftp.ENTERING_PASV_MODE and advertise:
            port = self.dtpPort.getHost().port
            args = (ftp.encodeHostPort(advertise, port),)
        super().reply(key, *args)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Give the place back."""
        peer = self.transport.getPeer().host
        super().connectionLost(reason)
        factory: Any = self.factory
        factory.release(peer)


class TreeFactory(ftp.FTPFactory):
    """Builds control connections, as many as the settings allow.

    Args:
        portal: lets everybody in as ``anonymous``.
        settings: of the plugin.
    """

    protocol = TreeFtp
    noisy = False
    welcomeMessage = "provd: packages for installers"

    def __init__(self, portal: Portal, settings: SettingsOfSourceFtp) -> None:
        super().__init__(portal)
        self.allowAnonymous = True
        self.timeOut = settings.idle_s
        self.advertise = settings.advertise
        self._most = settings.connections_max
        self._open: Counter[str] = Counter()
        first, last = settings.passive or (0, 0)
        self.passivePortRange = range(first, last + 1)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """A connection, or None where there are too many."""
        host = str(getattr(addr, "host", ""))
        if self._open.total() >= self._most or self._open[host] >= _PER_ADDRESS:
            return None
        connection: Any = super().buildProtocol(addr)
        if connection is not None:
            self._open[host] += 1
        return connection

    def release(self, host: str) -> None:
        """A connection of this address ended."""
        self._open[host] -= 1
        if self._open[host] <= 0:
            del self._open[host]


@implementer(IRealm)
class _Realm:
    """Everybody sees the same trees."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def requestAvatar(self, _avatar: object, _mind: object, *_interfaces: object) -> Deferred[Any]:
        """A shell; the server of this portal asks for nothing else."""
        return succeed((ftp.IFTPShell, TreeShell(self._runtime), lambda: None))


def factory_of(settings: SettingsOfSourceFtp, runtime: Runtime) -> TreeFactory:
    """A server for these settings."""
    portal = Portal(_Realm(runtime), [AllowAnonymousAccess()])
    return TreeFactory(portal, settings)
