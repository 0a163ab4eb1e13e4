"""Mirrors with a fault: port 8001 says 500 to everything, port 8002 takes every connection and never says a word."""

from __future__ import annotations

import http.server
import socket
import threading


class Broken(http.server.BaseHTTPRequestHandler):
    """Fails."""

    def do_GET(self) -> None:
        self.send_error(500)


def main() -> None:
    """Both, until they are killed."""
    server = http.server.ThreadingHTTPServer(("", 8001), Broken)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("", 8002)) as silent:
        print("ready", flush=True)
        held = []
        while True:
            held.append(silent.accept())


if __name__ == "__main__":
    main()
