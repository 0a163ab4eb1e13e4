"""Whether a machine could mount an export: the question that ``provd check`` asks."""

from __future__ import annotations

from .mount3 import mount, mount_port
from .nfs4 import look_up, ping
from .rpc import RpcClient, RpcError

_PORT = 2049


def probe(host: str, path: str, options: str) -> str:
    """One sentence on what is wrong, or empty; some seconds at most.

    Args:
        host: name or address.
        path: of the export, with a leading slash.
        options: of the mount: ``nfsvers`` or ``vers`` chooses the version, 4 without it; ``port`` and ``mountport``.
    """
    said = dict(word.split("=", 1) for word in options.split(",") if "=" in word)
    version = said.get("nfsvers") or said.get("vers") or "4"
    try:
        port = int(said.get("port", _PORT))
        if version.startswith("3"):
            mount(host, int(said["mountport"]) if "mountport" in said else mount_port(host), path)
            return ""
        with RpcClient(host, port) as client:
            ping(client)
            look_up(client, path)
    except (RpcError, ValueError) as error:
        return f"nfs://{host}{path} (version {version.partition('.')[0]}): {error}"
    return ""
