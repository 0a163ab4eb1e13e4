"""The client of the local socket: synchronous, standard library only, so that the command line starts quickly."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class ApiError(Exception):
    """The service refused; the sentence says why.

    Attributes:
        field: argument that is wrong, or empty.
        kind: ``refused``, ``not-found``, ``usage``, ``denied`` or ``failed``.
    """

    def __init__(self, sentence: str, field: str = "", kind: str = "failed") -> None:
        super().__init__(sentence)
        self.field = field
        self.kind = kind


class NotReachableError(Exception):
    """Nobody answers at the socket."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class LocalClient:
    """Calls operations of the service that listens on a local socket.

    Args:
        socket_path: the ``socket`` setting.
        timeout: seconds that one call may take.
    """

    def __init__(self, socket_path: str | Path, timeout: float = 30.0) -> None:
        self.socket_path = str(socket_path)
        self._timeout = timeout

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        """Run one operation and return its result.

        Args:
            operation: its name, as in ``system.list``.
            given: its arguments.
            arguments: further ones by name.

        Raises:
            ApiError: the service refused.
            NotReachableError: there is no service at this socket, or it did not answer in time.
        """
        return self._exchange("POST", f"/v1/call/{operation}", json.dumps({**(given or {}), **arguments}).encode())

    def operations(self) -> list[dict[str, Any]]:
        """Every operation: ``name``, ``summary``, ``permission``, ``example``, ``arguments`` (a JSON Schema).

        Raises:
            ApiError: the service refused.
            NotReachableError: there is no service at this socket.
        """
        found = self._exchange("GET", "/v1/operations", b"")
        return list(found)

    def _exchange(self, method: str, path: str, body: bytes) -> Any:
        connection = _UnixConnection(self.socket_path, self._timeout)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        except PermissionError as error:
            raise NotReachableError(f"{self.socket_path} may only be used by root and the service's user") from error
        except (FileNotFoundError, ConnectionError) as error:
            raise NotReachableError(f"no service answers at {self.socket_path}; is 'provd run' running?") from error
        except TimeoutError as error:
            raise NotReachableError(f"the service did not answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotReachableError(f"{self.socket_path}: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise ApiError(str(answer.get("error", "")), str(answer.get("field", "")), str(answer.get("kind", "")))
        return answer["result"]
