"""A real provd with the JSON API on loopback, and a client with the standard library."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provd.api.client import LocalClient
from tests.app.running_server import RunningServer, free_ports

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Answer:
    """Status, headers (small letters) and body."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class ApiServer:
    """A running provd with users of every role and a token for each."""

    def __init__(self, folder: Path, more: str = "", plugin: str = "", trust: Path | None = None) -> None:
        self.trusted = trust or folder / "data" / "api" / "certificate.pem"
        (self.port,) = free_ports(1)
        self.server = RunningServer(folder, f"\n[api]\nenabled = true\nport = {self.port}\n{more}")
        first = "api_writes = true\n"
        text = self.server.config.read_text()
        if plugin:
            (folder / "own").mkdir(mode=0o755)
            (folder / "own" / "own_plugin.py").write_text(plugin)
            first += f'plugin_dirs = ["{folder}/own"]\n'
            text = text.replace('"relay",', '"relay", "own_plugin",')
        self.server.config.write_text(first + text)
        self.server.start()
        self.local = LocalClient(folder / "run" / "provd.sock")
        self.tokens: dict[str, str] = {}
        for role in ("read", "operate", "admin"):
            self.local.call("user.add", {"name": role, "role": role, "password": PASSWORD})
            self.tokens[role] = self.login(role, PASSWORD).body["result"]["token"]

    def context(self) -> ssl.SSLContext:
        """Trusts the certificate that provd made for itself, and nothing else."""
        return ssl.create_default_context(cafile=str(self.trusted))

    def connect(self, timeout: float = 20) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context())

    def ask(
        self, method: str, path: str, body: bytes | None = None, role: str = "", headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, with the token of a role where one is given."""
        connection = self.connect()
        token = {"Authorization": f"Bearer {self.tokens[role]}"} if role else {}
        try:
            connection.request(method, path, body, {**token, **(headers or {})})
            found = connection.getresponse()
            told = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, told, found.read())
        finally:
            connection.close()

    def with_token(self, token: str, operation: str, **arguments: object) -> Answer:
        """Run an operation with a token of one's own."""
        body, headers = json.dumps(arguments).encode(), {"Authorization": f"Bearer {token}"}
        return self.ask("POST", f"/v1/call/{operation}", body, headers=headers)

    def call(self, operation: str, role: str = "admin", /, **arguments: object) -> Answer:
        """Run an operation."""
        return self.ask("POST", f"/v1/call/{operation}", json.dumps(arguments).encode(), role)

    def login(self, user: str, password: str) -> Answer:
        return self.ask("POST", "/v1/login", json.dumps({"user": user, "password": password}).encode())
