"""In a network namespace of its own: a server with `anonymous_read_from`, asked from addresses that are not loopback."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cobbler.cobbler_server import CobblerServer

SERVER, NAMED, OTHER = "192.0.2.1", "192.0.2.17", "192.0.2.99"
SETTINGS = 'addresses = ["0.0.0.0"]\nanonymous_read_from = ["192.0.2.16/28"]\n'


class From(xmlrpc.client.Transport):
    """Speaks from one address.

    Args:
        source: dotted quad.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self._source = source

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(host, timeout=10, source_address=(self._source, 0))


def told(call: Callable[..., Any], *arguments: Any) -> Any:
    """An answer, or the text of a fault."""
    try:
        return call(*arguments)
    except xmlrpc.client.Fault as fault:
        return f"fault {fault.faultString}"


def asked(server: CobblerServer, source: str) -> dict[str, Any]:
    """What one address is told."""
    with xmlrpc.client.ServerProxy(f"http://{SERVER}:{server.port}/cobbler_api", From(source)) as remote:
        return {
            "profile": told(remote.get_profile, "web"),
            "version": told(remote.version),
            "handle": told(remote.new_system, ""),
            "edit": told(remote.xapi_object_edit, "distro", "el9", "remove", {}, ""),
            "direct": told(remote.login, "", server.secret),
        }


def main() -> None:
    for address in (SERVER, NAMED, OTHER):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        server = CobblerServer(Path(folder), SETTINGS)
        server.start()
        try:
            found = {"named": asked(server, NAMED), "other": asked(server, OTHER)}
            server.config.write_text(server.config.read_text().replace("192.0.2.16/28", "192.0.2.96/28"))
            server.send_signal(signal.SIGHUP)
            server.wait_for("reloaded")
            found |= {"named_then": asked(server, NAMED), "other_then": asked(server, OTHER)}
        finally:
            status = server.stop()
    json.dump({**found, "status": status}, sys.stdout)


if __name__ == "__main__":
    main()
