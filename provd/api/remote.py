"""The client of a remote server's JSON API: synchronous, standard library only, over HTTPS."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from provd.api.client import ApiError, NotReachableError

PORT: Final = 8443
"""Where a URL names none."""

KEPT_S: Final = 20.0
"""Seconds that a silent connection is used again; the server ends it after sixty."""


class RemoteClient:
    """Calls operations of a server that listens for JSON over HTTPS.

    Args:
        url: ``https://HOST[:PORT]``.
        token: what a login gave, empty for none.
        ca_file: PEM file with certificates that are trusted, empty for those of the system.
        timeout: seconds that one call may take.

    Raises:
        ValueError: the URL is none, or the file holds no certificate.
    """

    def __init__(self, url: str, token: str = "", ca_file: str = "", timeout: float = 30.0) -> None:
        self.host, self.port = endpoint(url)
        self.url, self._token, self._timeout = url, token, timeout
        try:
            self._context = ssl.create_default_context(cafile=ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise ValueError(f"{ca_file}: {error}") from error
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._connection: http.client.HTTPSConnection | None = None
        self._used = 0.0

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        """Run one operation and return its result.

        Args:
            operation: its name, as in ``system.list``.
            given: its arguments.
            arguments: further ones by name.

        Raises:
            ApiError: the server refused.
            NotReachableError: it does not answer, not in time, or with a certificate that is not trusted.
        """
        return self._exchange("POST", f"/v1/call/{operation}", {**(given or {}), **arguments})

    def operations(self) -> list[dict[str, Any]]:
        """Every operation, as :meth:`provd.api.client.LocalClient.operations`.

        Raises:
            ApiError: the server refused.
            NotReachableError: it does not answer.
        """
        return list(self._exchange("GET", "/v1/operations", None))

    def login(self, user: str, password: str) -> dict[str, Any]:
        """``token``, ``role`` and ``expires_at`` of a login.

        Raises:
            ApiError: refused.
            NotReachableError: the server does not answer.
        """
        return dict(self._exchange("POST", "/v1/login", {"user": user, "password": password}))

    def logout(self) -> bool:
        """End the token; whether there was one.

        Raises:
            ApiError: the token counts for nothing.
            NotReachableError: the server does not answer.
        """
        return bool(self._exchange("POST", "/v1/logout", {}))

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> http.client.HTTPSConnection:
        if self._connection is not None and time.monotonic() - self._used > KEPT_S:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self.host, self.port, timeout=self._timeout, context=self._context
            )
        return self._connection

    def _exchange(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        raw = None if body is None else json.dumps(body).encode()
        connection = self._connected()
        try:
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise NotReachableError(self._why(error)) from error
        except BaseException:  # Ctrl-C: the next question must not meet this answer
            self.close()
            raise
        self._used = time.monotonic()
        if response.status != 200:
            raise ApiError(_sentence(response.status, answer), *_parts(answer))
        return answer["result"]

    def _why(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"{self.url} shows a certificate that is not trusted: {error.verify_message}"
        if isinstance(error, TimeoutError):
            return f"{self.url} did not answer within {self._timeout:g} s"
        if isinstance(error, json.JSONDecodeError):
            return f"{self.url} is no provd: its answer is not JSON"
        return f"{self.url} does not answer: {getattr(error, 'strerror', None) or error}"


def endpoint(url: str) -> tuple[str, int]:
    """Host and port of a URL.

    Raises:
        ValueError: it is not ``https://HOST[:PORT]``.
    """
    parts = urlsplit(url)
    wrong = parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme != "https" or not parts.hostname or wrong:
        raise ValueError(f"{url!r} is not https://HOST[:PORT]")
    return parts.hostname, parts.port or PORT


def _sentence(status: int, answer: Any) -> str:
    told = answer.get("error") if isinstance(answer, dict) else None
    return str(told or f"the server answered {status}")


def _parts(answer: Any) -> tuple[str, str]:
    if not isinstance(answer, dict):
        return "", "failed"
    return str(answer.get("field", "")), str(answer.get("kind", "failed"))
