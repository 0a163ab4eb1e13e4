"""The mount protocol of NFS version 3 (RFC 1813 section 5.0), found through rpcbind (RFC 1833)."""

from __future__ import annotations

import struct
from typing import Final

from .rpc import RpcClient, RpcError, opaque

_PORTMAP: Final = (100000, 2)
_PORTMAP_PORT: Final = 111
_GETPORT: Final = 3
_MOUNT: Final = (100005, 3)
_MNT: Final = 1
_UMNT: Final = 3
_TCP: Final = 6
_STATUS: Final = {1: "not the owner", 2: "no such directory", 5: "input or output error", 13: "access denied",
                  20: "not a directory", 10006: "a fault of the server's"}  # fmt: skip


def mount_port(host: str) -> int:
    """Port of the mount protocol over TCP.

    Raises:
        RpcError: rpcbind is not there, or knows none.
    """
    with RpcClient(host, _PORTMAP_PORT) as client:
        port = client.call(*_PORTMAP, _GETPORT, struct.pack(">IIII", *_MOUNT, _TCP, 0)).uint()
    if not port:
        raise RpcError("rpcbind knows of no mount protocol over TCP")
    return port


def mount(host: str, port: int, path: str) -> None:
    """Ask for an export as a client of version 3 does, and give it back.

    Raises:
        RpcError: the server says no, with its reason.
    """
    with RpcClient(host, port) as client:
        status = client.call(*_MOUNT, _MNT, opaque(path.encode())).uint()
        if status:
            raise RpcError(f"{path}: {_STATUS.get(status, f'mount status {status}')}")
        client.call(*_MOUNT, _UMNT, opaque(path.encode()))
