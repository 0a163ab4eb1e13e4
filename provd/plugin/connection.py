"""A connection for plugins that look at another server when a person asks them to."""

from __future__ import annotations

import socket


def connect(host: str, port: int, timeout_s: float) -> socket.socket:
    """A blocking TCP connection, for ``InstallSource.probe`` alone: everything else has ``Runtime``.

    Args:
        host: name or address.
        port: TCP.
        timeout_s: of connecting, and of each later call.

    Raises:
        OSError: nobody answers there.
    """
    return socket.create_connection((host, port), timeout_s)
