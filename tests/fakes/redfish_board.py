"""A board with Redfish (DSP0266) on loopback: service root, sessions, one or two computer systems, their actions."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = "/redfish/v1"


@dataclass
class RedfishBoard:
    """What the board is and what it was told.

    Attributes:
        passwords: who may log in.
        systems: power state by ``Id``.
        told: resets, as ``ID: TYPE``.
        boot: what was written to ``Boot``, by ``Id``.
        opened: sessions that were ever opened.
        open: those that are open now.
        resets: reset types that its systems know.
        refuse: status with which resets are answered, 0 for none.
        garbage: answers no JSON at all.
        bye: what it says when a session is closed; 0: nothing, the connection is cut.
        port: where it listens.
    """

    passwords: dict[str, str]
    systems: dict[str, str] = field(default_factory=lambda: {"437X": "Off"})
    told: list[str] = field(default_factory=list)
    boot: dict[str, dict[str, Any]] = field(default_factory=dict)
    opened: int = 0
    open: set[str] = field(default_factory=set)
    resets: tuple[str, ...] = ("On", "ForceOff", "GracefulShutdown", "ForceRestart")
    refuse: int = 0
    garbage: bool = False
    bye: int = 204
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def get(self, path: str) -> dict[str, Any] | None:
        if path == ROOT:
            return {
                "Id": "RootService", "Name": "Root", "RedfishVersion": "1.11.0", "@odata.id": ROOT,
                "Systems": {"@odata.id": f"{ROOT}/Systems"},
                "SessionService": {"@odata.id": f"{ROOT}/SessionService"},
                "Links": {"Sessions": {"@odata.id": f"{ROOT}/SessionService/Sessions"}},
            }  # fmt: skip
        if path == f"{ROOT}/Systems":
            members = [{"@odata.id": f"{ROOT}/Systems/{one}"} for one in self.systems]
            return {"Name": "Systems", "Members": members, "Members@odata.count": len(members), "@odata.id": path}
        name = path.removeprefix(f"{ROOT}/Systems/")
        return self._system(name, path) if name in self.systems else None

    def _system(self, name: str, path: str) -> dict[str, Any]:
        allowed = list(self.resets)
        target = {"target": f"{path}/Actions/ComputerSystem.Reset", "ResetType@Redfish.AllowableValues": allowed}
        boot = {
            "BootSourceOverrideTarget": "None", "BootSourceOverrideEnabled": "Disabled",
            "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd"],
            **self.boot.get(name, {}),
        }  # fmt: skip
        return {
            "@odata.id": path, "Id": name, "Name": name, "PowerState": self.systems[name], "Boot": boot,
            "Actions": {"#ComputerSystem.Reset": target},
        }  # fmt: skip

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        if path == f"{ROOT}/SessionService/Sessions":
            if self.passwords.get(body.get("UserName", "")) != body.get("Password"):
                return 401, {}
            self.opened += 1
            self.open.add(str(self.opened))
            return 201, {"X-Auth-Token": f"token-{self.opened}", "Location": f"{path}/{self.opened}"}
        name = path.removeprefix(f"{ROOT}/Systems/").partition("/")[0]
        if self.refuse:
            return self.refuse, {}
        if body["ResetType"] not in self.resets:
            return 400, {}
        self.told.append(f"{name}: {body['ResetType']}")
        self.systems[name] = "Off" if body["ResetType"] in {"ForceOff", "GracefulShutdown"} else "On"
        return 204, {}


class _Handler(BaseHTTPRequestHandler):
    board: RedfishBoard

    def log_message(self, *_args: Any) -> None:
        pass

    def _allowed(self) -> bool:
        token = self.headers.get("X-Auth-Token", "").removeprefix("token-")
        if token in self.board.open:
            return True
        self._answer(401, {"error": {"message": "no session"}})
        return False

    def _answer(self, status: int, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> None:
        octets = b"<html>" if self.board.garbage else json.dumps(body or {}).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "OData-Version": "4.0", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def _path(self) -> str:
        return self.path.rstrip("/")

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        return found

    def do_GET(self) -> None:
        if self._path() == ROOT or self._allowed():
            found = self.board.get(self._path())
            self._answer(200 if found else 404, found)

    def do_POST(self) -> None:
        body = self._body()
        if self._path().endswith("/Sessions") or self._allowed():
            status, headers = self.board.post(self._path(), body)
            self._answer(status, {}, headers)

    def do_PATCH(self) -> None:
        body = self._body()
        if self._allowed():
            self.board.boot[self._path().rpartition("/")[2]] = body["Boot"]
            self._answer(200)

    def do_DELETE(self) -> None:
        if not self.board.bye:
            self.close_connection = True
        elif self.board.bye != 204:
            self._answer(self.board.bye)
        elif self._allowed():
            self.board.open.discard(self._path().rpartition("/")[2])
            self._answer(204)


@contextmanager
def redfish_board(made: RedfishBoard, certificate: Path, key: Path, host: str = "127.0.0.1") -> Iterator[RedfishBoard]:
    """The board, with TLS, for as long as the block runs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer((host, 0), type("Handler", (_Handler,), {"board": made}))
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
