"""What an install medium shows of itself: small files by their path, whatever it is made of."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

MOST_OCTETS: Final = 256 * 1024
"""Octets of a descriptive file that are looked at; real ones have a few thousand."""
_URL_S: Final = 20.0
_BLOCK: Final = 2048
_PADDING: Final = 150 * _BLOCK
"""What makers of images count behind the last file, and copies of a disk's size may lack."""
_PLAIN: Final = "/%:@!$&'()*+,;=~"
_ABSENT: Final = frozenset({403, 404, 410})
"""What servers answer for a file they do not have; object stores say 403 to whoever may not list."""


class MediumError(Exception):
    """The medium cannot be read; one sentence."""


class Medium(Protocol):
    """A medium.

    Attributes:
        where: what to call it in sentences.
        kind: ``directory``, ``iso`` or ``url``.
    """

    where: str
    kind: str

    def read(self, path: str) -> bytes | None:
        """The beginning of a file, None where there is none."""
        ...

    def has(self, path: str) -> bool:
        """Whether there is a file of this path."""
        ...

    def copy(self, path: str, target: Path, told: Callable[[int], None]) -> None:
        """Copy one file; ``told`` gets the octets of each piece."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class DirectoryMedium:
    """A directory; links are followed as long as they stay in it."""

    kind = "directory"

    def __init__(self, root: Path) -> None:
        self.root, self.where = root.resolve(), str(root)

    def _file(self, path: str) -> Path | None:
        try:
            found = (self.root / path).resolve()
            inside = found.is_relative_to(self.root) and stat.S_ISREG(found.stat().st_mode)
        except (OSError, RuntimeError):
            return None
        return found if inside else None

    def read(self, path: str) -> bytes | None:
        """See :class:`Medium`."""
        found = self._file(path)
        if found is None:
            return None
        with found.open("rb") as file:
            return file.read(MOST_OCTETS)

    def has(self, path: str) -> bool:
        """See :class:`Medium`."""
        return self._file(path) is not None

    def copy(self, path: str, target: Path, told: Callable[[int], None]) -> None:
        """See :class:`Medium`."""
        found = self._file(path)
        if found is None:
            raise MediumError(f"{self.where} has no file {path}")
        with found.open("rb") as source, target.open("wb") as out:
            while piece := source.read(1 << 20):
                out.write(piece)
                told(len(piece))

    def close(self) -> None:
        """Nothing is held."""


class IsoMedium:
    """An ISO image, read without mounting it."""

    kind = "iso"

    def __init__(self, path: Path) -> None:
        from pycdlib import PyCdlib

        self.path, self.where = path, str(path)
        self._iso: Any = PyCdlib()
        try:
            self._file = path.open("rb")
            self._iso.open_fp(self._file)
        except OSError as error:
            raise MediumError(f"{path} cannot be read: {error.strerror or error}") from error
        except Exception as error:
            # The library meets damage with whatever its arithmetic gives, and keeps the file open.
            self._file.close()
            raise MediumError(f"{path} is no ISO 9660 image, or is damaged: {error}") from error
        volume = self._iso.pvd.space_size * _BLOCK
        if volume > path.stat().st_size + _PADDING:
            self.close()
            raise MediumError(f"{path} is cut short: {volume} octets belong to it and {path.stat().st_size} are there")
        ridge, joliet = self._iso.has_rock_ridge(), self._iso.has_joliet()
        self._key = "rr_path" if ridge else "joliet_path" if joliet else "iso_path"

    def _name(self, path: str) -> dict[str, str]:
        if self._key != "iso_path":
            return {self._key: f"/{path}"}
        folder, name = posixpath.split(path.upper())
        plain = name if "." in name else f"{name}."
        return {self._key: posixpath.join("/", folder, f"{plain};1")}

    def read(self, path: str) -> bytes | None:
        """See :class:`Medium`."""
        out = BytesIO()
        try:
            with self._iso.open_file_from_iso(**self._name(path)) as file:
                out.write(file.read(MOST_OCTETS))
        except Exception:  # noqa: BLE001  absent, a directory, or damaged: it is not there to be read
            return None
        return out.getvalue()

    def has(self, path: str) -> bool:
        """See :class:`Medium`."""
        try:
            record = self._iso.get_record(**self._name(path))
        except Exception:  # noqa: BLE001  as above
            return False
        return not record.is_dir()

    def copy(self, path: str, target: Path, told: Callable[[int], None]) -> None:
        """See :class:`Medium`."""
        try:
            with self._iso.open_file_from_iso(**self._name(path)) as file, target.open("wb") as out:
                while piece := file.read(1 << 20):
                    out.write(piece)
                    told(len(piece))
        except OSError:
            raise
        except Exception as error:
            raise MediumError(f"{self.where}: {path} cannot be read: {error}") from error

    def close(self) -> None:
        """Close the image."""
        self._iso.close()
        self._file.close()


class UrlMedium:
    """A tree on a web server."""

    kind = "url"

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable or "@" in parts.netloc or parts.query or parts.fragment:
            raise MediumError(f"{url} is no http or https URL of a directory, with a host and without a password")
        if parts.path.lower().endswith(".iso"):
            raise MediumError(f"{url} is an image: fetch it to this machine, and import the file")
        # Blanks and letters beyond ASCII as they go over the wire; the distro's tree is this URL, too.
        path = quote(parts.path.rstrip("/"), safe=_PLAIN)
        self.where = self.url = f"{parts.scheme}://{parts.netloc}{path}"

    def _open(self, path: str, method: str) -> Any:
        request = Request(f"{self.url}/{quote(path)}", method=method)  # noqa: S310  http or https, see above
        try:
            return urlopen(request, timeout=_URL_S)  # noqa: S310
        except HTTPError as error:
            error.close()
            if error.code not in _ABSENT:
                raise MediumError(f"{self.url}/{path}: the server answered {error.code} {error.reason}") from error
            return None
        except (URLError, OSError, HTTPException, ValueError) as error:
            raise MediumError(f"{self.url} cannot be reached: {getattr(error, 'reason', error)}") from error

    @contextmanager
    def _whole(self, path: str) -> Iterator[None]:
        """A body without a length that breaks off (RFC 9112 section 8) is told as one that had a length."""
        try:
            yield
        except HTTPException as error:
            raise MediumError(f"{self.url}/{path}: the transfer broke off") from error

    def read(self, path: str) -> bytes | None:
        """See :class:`Medium`."""
        answer = self._open(path, "GET")
        if answer is None:
            return None
        with answer, self._whole(path):
            return bytes(answer.read(MOST_OCTETS))

    def has(self, path: str) -> bool:
        """See :class:`Medium`."""
        answer = self._open(path, "HEAD")
        if answer is None:
            return False
        answer.close()
        return True

    def copy(self, path: str, target: Path, told: Callable[[int], None]) -> None:
        """See :class:`Medium`."""
        answer = self._open(path, "GET")
        if answer is None:
            raise MediumError(f"{self.url} has no file {path}")
        came = 0
        with answer, self._whole(path), target.open("wb") as out:
            while piece := answer.read(1 << 20):
                out.write(piece)
                came += len(piece)
                told(len(piece))
        # urllib takes a connection that breaks for the end of the file.
        promised = answer.headers.get("Content-Length")
        if promised is not None and came != int(promised):
            raise MediumError(f"{self.url}/{path}: {came} of {promised} octets came")

    def close(self) -> None:
        """Nothing is held."""


def open_medium(what: str) -> Medium:
    """A medium by path or URL.

    Raises:
        MediumError: it is not there or cannot be read.
    """
    if not what.strip():
        raise MediumError("the medium has no name: a directory, an ISO image or a URL is expected")
    if "://" in what:
        return UrlMedium(what)
    path = Path(what)
    if not path.exists():
        raise MediumError(f"{what} is not there")
    if not os.access(path, os.R_OK):
        raise MediumError(f"{what} may not be read")
    return DirectoryMedium(path) if path.is_dir() else IsoMedium(path)
