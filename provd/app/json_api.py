"""The JSON API in a running server: its certificate, its listeners, its feed of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from provd.api.json.events import Feed
from provd.api.json.server import Backend, JsonSite
from provd.app.listeners import ListenError
from provd.app.metrics import RUNS, Metrics
from provd.app.services import Services
from provd.app.tls import context, fingerprint, own_certificate
from provd.service.operations import OperationTable

_LOOPBACK: Final = IPv4Address("127.0.0.1")


class JsonListener:
    """Binds and closes the listeners.

    Args:
        reactor: the reactor.
        services: the services.
        table: the operations.
        facts: what the operation ``status`` tells.
        ready: why machines are not served yet, or empty.

    Attributes:
        facts: where it listens and what its certificate is, for whoever wants to trust it.
    """

    def __init__(
        self,
        reactor: Any,
        services: Services,
        table: OperationTable,
        facts: Callable[[], Mapping[str, Any]],
        ready: Callable[[], str],
    ) -> None:
        self._reactor, self._services = reactor, services
        self._config, self._data = services.current.config.api, Path(services.current.config.data_dir)
        past = services.store.sessions
        self._feed = Feed(reactor, lambda number, limit: past.events_after(number, limit=limit))
        metrics = Metrics(services, facts, lambda: self._feed.listeners)
        services.bus.listen(self._feed.on_event, wanted=lambda: bool(self._feed.listeners))
        services.bus.listen(metrics.on_event, RUNS)
        backend = Backend(table, services.access, self._feed, ready, metrics.page, metadata.version("provd"))
        self._site = JsonSite(reactor, backend)
        self._ports: list[IListeningPort] = []
        self.facts: Mapping[str, object] = {}
        self._log = Logger(namespace="provd.api")

    def bind(self) -> None:
        """Bind.

        Raises:
            ListenError: the port is taken or not allowed, or the certificate cannot be used.
        """
        config = self._config
        addresses = config.addresses or (_LOOPBACK,)
        if config.tls_certificate:
            certificate, key = Path(config.tls_certificate), Path(config.tls_key or config.tls_certificate)
        else:
            certificate, key = own_certificate(self._data / "api", addresses)
        made = context(certificate, key, "api.tls_certificate")
        for address in addresses:
            try:
                self._ports.append(self._reactor.listenSSL(config.port, self._site, made, interface=str(address)))
            except CannotListenError as error:
                reason = getattr(error.socketError, "strerror", error.socketError)
                raise ListenError(f"api.port {config.port} on {address}: {reason}") from error
        urls = [f"https://{address}:{config.port}" for address in addresses]
        self.facts = {"urls": urls, "certificate_sha256": fingerprint(certificate)}
        self._log.info(
            "JSON API on {told}, certificate SHA-256 {print}", told=", ".join(urls), print=fingerprint(certificate)
        )

    async def close(self) -> None:
        """End every stream and stop listening."""
        self._feed.close()
        for port in self._ports:
            await maybeDeferred(port.stopListening)
