"""The FTP server (RFC 959) on Twisted's: anonymous, passive, read only."""

# ruff: noqa: N802, N815 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call, misc"

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from twisted.cred.checkers import AllowAnonymousAccess
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.protocols import ftp
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.plugin.api import Runtime

from .shell import TreeShell

if TYPE_CHECKING:
    from . import SettingsOfSourceFtp

_log = Logger(namespace="provd.source_ftp")

_PER_ADDRESS: Final = 16
_LONGEST_LINE: Final = 1024
_LONGEST_MARKER: Final = 19
"""Digits of the largest offset of a file."""
_BAD_MARKER: Final = "554"

ftp.RESPONSE.setdefault(_BAD_MARKER, "554 The file has no octet %s.")


def _plain(host: str) -> str:
    """An address as it is written where it is not mapped into IPv6 (RFC 4291 section 2.5.5.2)."""
    return host.lower().removeprefix("::ffff:")


class _NoDataPortError(ftp.FTPCmdError):
    errorCode = ftp.CANT_OPEN_DATA_CNX

    def response(self) -> str:
        return "425 All ports for data are in use, try again later."


class _MarkerError(ftp.FTPCmdError):
    errorCode = _BAD_MARKER


def _never_called(failure: Failure) -> str:
    failure.trap(ftp.PortConnectionError)
    return str(ftp.CANT_OPEN_DATA_CNX)


def _not_kept(_octets: bytes) -> None:
    """Nothing can be stored here; Twisted keeps what comes over a data connection until somebody stores it."""


class TreeFtp(ftp.FTP):
    """One control connection."""

    FEATURES: ClassVar = [*ftp.FTP.FEATURES, "EPSV", "REST STREAM"]
    MAX_LENGTH = _LONGEST_LINE
    transport: Any
    dtpPort: Any
    dtpInstance: Any
    dtpFactory: Any
    workingDirectory: Any
    shell: Any
    _marker = 0

    def ftp_PORT(self, address: str) -> Any:
        """Active mode: refused (RFC 2577 section 3)."""
        return ftp.CMD_NOT_IMPLMNTD, "PORT"

    ftp_EPRT = ftp_PORT

    def ftp_PASV(self) -> Any:
        """A port for data; a client that never calls it is told so."""
        return super().ftp_PASV().addErrback(_never_called)

    def ftp_EPSV(self, protocol: str = "") -> Any:
        """As PASV (RFC 2428 section 3)."""
        return maybeDeferred(super().ftp_EPSV, protocol).addErrback(_never_called)

    def ftp_REST(self, marker: str) -> Any:
        """The octet at which the next RETR begins (RFC 3659 section 5)."""
        if not marker.isascii() or not marker.isdigit() or len(marker) > _LONGEST_MARKER:
            raise ftp.CmdArgSyntaxError(marker)
        self._marker = int(marker)
        return ftp.REQ_FILE_ACTN_PENDING_FURTHER_INFO

    def ftp_RETR(self, path: str) -> Deferred[Any]:
        """The octets of a file, the same ones in every TYPE: what installers fetch is no text."""
        start, self._marker = self._marker, 0
        if self.dtpInstance is None or not self.dtpInstance.isConnected:
            raise ftp.BadCmdSequenceError("PASV or EPSV required before RETR")
        return Deferred.fromCoroutine(self._retrieve(path, start, self.dtpInstance))

    async def _retrieve(self, path: str, start: int, data: Any) -> Any:
        try:
            segments = ftp.toSegments(self.workingDirectory, path)
        except ftp.InvalidPath as error:
            raise ftp.FileNotFoundError(path) from error
        self.setTimeout(None)  # a mirror may have to ask upstream first
        try:
            reader = await self.shell.openForReading(segments)
            if start > reader.length >= 0:
                raise _MarkerError(start)
            self.reply(ftp.DATA_CNX_ALREADY_OPEN_START_XFR)
            self.setTimeout(self.factory.timeOut)
            await reader.send(data, start, self.resetTimeout)
        except OSError as error:
            _log.debug("a transfer of {path} broke off: {why}", path="/".join(segments), why=error)
            return ftp.CNX_CLOSED_TXFR_ABORTED
        finally:
            self.setTimeout(self.factory.timeOut if self.shell is not None else None)
        return ftp.TXFR_COMPLETE_OK

    def timeoutConnection(self) -> None:
        """Nothing was said, and nothing of a file left, for too long: both connections are cut."""
        self._cut_data()
        self.transport.abortConnection()

    def cleanupDTP(self) -> None:
        """A data connection that nobody reads to its end does not stay behind."""
        self._cut_data()
        super().cleanupDTP()

    def _cut_data(self) -> None:
        if self.dtpInstance is not None and self.dtpInstance.isConnected:
            self.dtpInstance.transport.abortConnection()

    def getDTPPort(self, factory: Any, interface: str = "") -> Any:
        """A port for data, which only the machine of this connection may call (RFC 2577 section 4).

        Raises:
            FTPCmdError: all ports are in use.
        """
        peer, build = _plain(self.transport.getPeer().host), factory.buildProtocol

        def built(address: Any) -> Any:
            data = build(address) if _plain(address.host) == peer else None
            if data is not None:
                data.dataReceived = _not_kept
            return data

        factory.buildProtocol = built
        try:
            return super().getDTPPort(factory, interface)
        except CannotListenError as error:
            self.dtpFactory.stopFactory()
            self.dtpFactory = None
            raise _NoDataPortError from error

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
