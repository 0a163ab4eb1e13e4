"""Secrets by reference: a table in place of a value, read when an answer file is rendered and never kept.

Three forms, each with an optional ``once = true``: ``{file = "/etc/provd/secrets/root"}``, ``{env = "ROOT_HASH"}`` and
``{credential = "root"}`` (a systemd credential). A table is a reference if it has one of these keys and no others.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from provd.model.scrub import HIDDEN
from provd.model.secret import SECRET_KINDS

MAX_SECRET: Final = 64 << 10
"""Octets of one secret; keys and certificates are far below."""


class SecretError(ValueError):
    """A secret cannot be had; the sentence names the key path and the reference, never the value."""


class SecretText(str):
    """A resolved secret: a text to templates, but its ``repr`` shows nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(HIDDEN)


def is_reference(value: object) -> bool:
    """Whether a value is meant as a reference to a secret."""
    return (
        isinstance(value, Mapping)
        and any(kind in value for kind in SECRET_KINDS)
        and value.keys() <= {*SECRET_KINDS, "once"}
    )


def references(value: object, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every reference below ``value`` with its key path."""
    if is_reference(value):
        assert isinstance(value, Mapping)  # noqa: S101  is_reference has seen it
        yield path, value
    elif isinstance(value, Mapping):
        for name, child in value.items():
            yield from references(child, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from references(child, f"{path}[{index}]")


def unread(value: object) -> Any:
    """The value with ``***`` in the place of every reference."""
    if is_reference(value):
        return SecretText(HIDDEN)
    if isinstance(value, Mapping):
        return {name: unread(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [unread(child) for child in value]
    return value


def fault(reference: Mapping[str, Any]) -> str:
    """What is wrong with the form of a reference, or empty."""
    named = [kind for kind in SECRET_KINDS if kind in reference]
    if len(named) != 1:
        return f"a secret has one of the keys {', '.join(SECRET_KINDS)}, not {' and '.join(named)}"
    target = reference[named[0]]
    if not isinstance(target, str) or not target:
        return f"{named[0]} of a secret must be a text that is not empty"
    if not isinstance(reference.get("once", False), bool):
        return "once of a secret must be true or false"
    if named[0] == "credential" and (target in {".", ".."} or "/" in target):
        return f"credential {target!r} must be a plain name"
    return ""


def anchored(value: Any, folder: Path) -> Any:
    """The value with relative paths of ``file`` references made absolute below ``folder``."""
    if is_reference(value):
        path = value.get("file")
        return {**value, "file": str(folder / path)} if isinstance(path, str) and path else value
    if isinstance(value, dict):
        return {name: anchored(child, folder) for name, child in value.items()}
    if isinstance(value, list):
        return [anchored(child, folder) for child in value]
    return value


@dataclass(slots=True)
class SecretReader:
    """Replaces references by the secrets they name.

    Attributes:
        environment: where ``env`` references are looked up; systemd names the credentials' directory there.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def resolve(self, value: object) -> tuple[object, bool]:
        """The value without references, and whether one of them is marked ``once = true``.

        Raises:
            SecretError: a secret cannot be read, or its file is readable by everybody.
        """
        once = any(reference.get("once", False) for _, reference in references(value))
        return self._resolve(value, ""), once

    def _resolve(self, value: object, path: str) -> object:
        if is_reference(value):
            assert isinstance(value, Mapping)  # noqa: S101  is_reference has seen it
            try:
                return SecretText(self._read(value))
            except SecretError as error:
                raise SecretError(f"{path}: {error}" if path else str(error)) from error
        if isinstance(value, Mapping):
            return {
                name: self._resolve(child, f"{path}.{name}" if path else str(name)) for name, child in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._resolve(child, f"{path}[{index}]") for index, child in enumerate(value)]
        return value

    def _read(self, reference: Mapping[str, Any]) -> str:
        rule = fault(reference)
        if rule:
            raise SecretError(rule)
        if "env" in reference:
            name = reference["env"]
            if name not in self.environment:
                raise SecretError(f"environment variable {name} is not set")
            return self.environment[name]
        if "file" in reference:
            path = Path(reference["file"])
            if not path.is_absolute():
                raise SecretError(f"secret file {path} must be an absolute path")
            return _file_text(path)
        folder = self.environment.get("CREDENTIALS_DIRECTORY")
        if not folder:
            raise SecretError(f"credential {reference['credential']}: systemd passed no credentials")
        return _file_text(Path(folder) / reference["credential"])


def _file_text(path: Path) -> str:
    """A secret's file without its final newline."""
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            raw = stream.read(MAX_SECRET + 1)
    except OSError as error:
        raise SecretError(f"secret file {path} cannot be read: {error.strerror}") from error
    if mode & stat.S_IROTH:
        raise SecretError(f"secret file {path} is readable by everybody (mode {mode:04o}); chmod 0600 is expected")
    if len(raw) > MAX_SECRET:
        raise SecretError(f"secret file {path} is larger than {MAX_SECRET} octets")
    try:
        return raw.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise SecretError(f"secret file {path} is not UTF-8 text") from error
