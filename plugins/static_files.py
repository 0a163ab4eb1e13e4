"""Serves directories of the site over TFTP and HTTP.

    [[plugins.static_files.directories]]
    prefix = "firmware"            # served as firmware/...
    path = "/srv/provd/firmware"

A file is found component by component and never through a symbolic link, so nothing outside a directory can be read. A
path below a prefix belongs to this plugin alone: where there is no such file, nobody else is asked.
"""

from __future__ import annotations

from pathlib import Path

from provd.plugin.api import Content, FileRequest, NotFound, Plugin, Settings, file_beneath, hookimpl


class Directory(Settings, frozen=True):
    """One served directory.

    Attributes:
        prefix: first part or parts of the served path, without slashes at its ends.
        path: absolute directory on disk.
    """

    prefix: str
    path: str

    def __post_init__(self) -> None:
        if not self.prefix or any(part in {"", ".", ".."} for part in self.prefix.split("/")):
            raise ValueError(f"prefix {self.prefix!r} must be plain names separated by slashes")
        if not Path(self.path).is_absolute():
            raise ValueError(f"path {self.path!r} must be absolute")


class SettingsOfStaticFiles(Settings, frozen=True):
    """``directories``: what is served; where prefixes nest, the longest one wins."""

    directories: tuple[Directory, ...] = ()

    def __post_init__(self) -> None:
        prefixes = [directory.prefix for directory in self.directories]
        if len(set(prefixes)) != len(prefixes):
            raise ValueError("two directories have the same prefix")


class StaticFiles:
    """Answers paths below its prefixes."""

    def __init__(self, settings: SettingsOfStaticFiles) -> None:
        found = [(tuple(one.prefix.split("/")), Path(one.path)) for one in settings.directories]
        self._directories = sorted(found, key=lambda pair: len(pair[0]), reverse=True)

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        parts = tuple(request.path.split("/"))
        for prefix, root in self._directories:
            if parts[: len(prefix)] == prefix:
                if request.method not in {"GET", "HEAD"}:
                    return NotFound("static files can only be read", status=405)
                return file_beneath(root, "/".join(parts[len(prefix) :]))
        return None


PLUGIN = Plugin(name="static_files", settings=SettingsOfStaticFiles, build=StaticFiles)
