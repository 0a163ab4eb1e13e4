"""Twisted's reactor, without what only TLS needs until somebody asks for TLS.

Twisted imports its TLS with every TCP connection: pyOpenSSL, cryptography and their libraries are 12 MB of resident
memory, and most servers listen on no TLS port and call nobody by HTTPS.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

_TLS: Final = "twisted.protocols.tls"
_CERTIFICATES: Final = "twisted.internet.ssl"


def the_reactor() -> Any:
    """Twisted's reactor with its timers on the monotonic clock, so that a clock step fires or stalls none of them."""
    with _tls_later():
        from twisted.internet import reactor  # noqa: TID251  the composition root owns it

    clock: Any = reactor
    clock.seconds = time.monotonic
    return reactor


@contextmanager
def _tls_later() -> Iterator[None]:
    """Within it, what Twisted's connections take from its TLS module is a function that imports that module.

    ``listenSSL``, ``connectSSL`` and ``startTLS`` call it as they would call the class. Imports afterwards find the
    real modules.
    """
    if not sys.modules.keys().isdisjoint((_TLS, _CERTIFICATES)):
        yield
        return
    standing: dict[str, Any] = {_TLS: _stand_in(), _CERTIFICATES: None}
    sys.modules.update(standing)
    try:
        yield
    finally:
        for name, module in standing.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _stand_in() -> ModuleType:
    module: Any = ModuleType(_TLS)
    module.TLSMemoryBIOFactory = _factory
    return module  # type: ignore[no-any-return]


def _factory(*words: Any, **more: Any) -> Any:
    return importlib.import_module(_TLS).TLSMemoryBIOFactory(*words, **more)
