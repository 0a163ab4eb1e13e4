"""A real `provd run` that answers Cobbler's clients, on loopback."""

from __future__ import annotations

import signal
import xmlrpc.client
from pathlib import Path
from typing import Any

import pytest

from tests.app.running_server import RunningServer, free_ports

EXTRA = """
[cobbler]
enabled = true
port = {port}
"""
SITE = {
    "distros/el9": 'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\ntree = "http://192.0.2.1/el9"\n'
    'kernel = "payload:el9/vmlinuz"\ninitrd = ["payload:el9/initrd.img"]\nkernel_args = ["quiet"]\n',
    "profiles/web": 'distro = "el9"\nkernel_args = ["console=ttyS0"]\n[vars]\nrole = "web"\nsecret_word = "hunter2"\n'
    '[answers]\nroot_password_hash = "$6$hidden"\n',
}


def refused(call: Any, *arguments: Any) -> str:
    """The sentence of the fault that a call ends in, in Cobbler's form."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*arguments)
    assert caught.value.faultString.startswith("<class '")
    return str(caught.value.faultString)


class CobblerServer(RunningServer):
    """The process, its proxies and its secret."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self._proxies: dict[str, Any] = {}
        (self.port,) = free_ports(1)
        self.task_log = folder / "cobbler.log"
        super().__init__(folder, EXTRA.format(port=self.port) + (more or f'task_log = "{self.task_log}"\n'))
        text = self.config.read_text()
        self.config.write_text("api_writes = true\n" + text)
        for name, content in SITE.items():
            (folder / "site" / f"{name}.toml").write_text(content)

    @property
    def secret(self) -> str:
        """What the command would read."""
        return (self.folder / "data" / "web.ss").read_text()

    def proxy(self, path: str = "/cobbler_api") -> Any:
        """A client as Cobbler's are."""
        if path not in self._proxies:
            url = f"http://127.0.0.1:{self.port}{path}"
            self._proxies[path] = xmlrpc.client.ServerProxy(url, allow_none=True)
        return self._proxies[path]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop, connections of the clients included."""
        for proxy in self._proxies.values():
            proxy("close")()
        return super().stop(number)

    def login(self) -> str:
        """Token of the shared secret."""
        return str(self.proxy().login("", self.secret))
