"""Connections that plugins make: by name or address, in the clear or with a certificate that is verified."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError, TCPTimedOutError
from twisted.internet.error import TimeoutError as TwistedTimeout
from twisted.internet.ssl import Certificate, TLSVersion, optionsForClientTLS, trustRootFromCertificates

from provd.net.reasons import reason

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

# Twisted's classes carry no annotations
_endpoint: Any = HostnameEndpoint
_wrap: Any = wrapClientTLS
_certificate: Any = Certificate
_trust: Any = trustRootFromCertificates
_options: Any = optionsForClientTLS


async def connected(reactor: Any, host: str, port: int, factory: Any, tls: Any, timeout_s: float) -> Any:
    """See :meth:`provd.plugin.runtime.Runtime.connect_tcp`."""
    endpoint: Any = _endpoint(reactor, host, port, timeout=timeout_s)
    if tls is not None:
        endpoint = _wrap(tls, endpoint)
    attempt: Deferred[Any] = endpoint.connect(factory)
    timer = reactor.callLater(timeout_s, attempt.cancel)
    try:
        return await attempt
    except (CancelledError, ConnectingCancelledError) as error:
        if timer.active():
            raise CancelledError from error
        raise TimeoutError(f"{host} port {port} did not answer in {timeout_s:g} s") from error
    except (TwistedTimeout, TCPTimedOutError) as error:
        raise TimeoutError(f"{host} port {port} did not answer in {timeout_s:g} s") from error
    except DNSLookupError as error:
        raise ConnectionError(f"{host} has no address") from error
    except (ConnectError, OSError) as error:
        raise ConnectionError(f"{host} port {port}: {reason(error)}") from error
    finally:
        if timer.active():
            timer.cancel()


def client_tls(host: str, ca_file: str) -> Any:
    """See :meth:`provd.plugin.runtime.Runtime.client_tls`."""
    trusted: Any = None
    if ca_file:
        try:
            found = _PEM.findall(Path(ca_file).read_bytes())
            trusted = _trust([_certificate.loadPEM(pem) for pem in found])
        except OSError as error:
            raise ValueError(f"ca_file {ca_file} cannot be read: {error.strerror}") from error
        except Exception as error:
            raise ValueError(f"ca_file {ca_file} holds a certificate that cannot be read") from error
        if not found:
            raise ValueError(f"ca_file {ca_file} holds no certificate in PEM form")
    return _options(host, trustRoot=trusted, extraCertificateOptions={"raiseMinimumTo": TLSVersion.TLSv1_2})
