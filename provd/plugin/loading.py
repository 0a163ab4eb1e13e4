"""Loads one plugin: from a file whose octets were checked and hashed first, or from an installed package."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import stat
import sys
from abc import ABC, abstractmethod
from importlib.metadata import EntryPoint, PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from provd.plugin.contract import API_VERSION, Plugin
from provd.plugin.errors import PluginError

SUPPORTED_API = range(1, API_VERSION + 1)


class Found(ABC):
    """A plugin that could be enabled.

    Attributes:
        name: its name, which is the name of its file, folder or entry point.
        origin: ``shipped``, ``entry point DISTRIBUTION``, or the plugin directory.
        path: its file or folder.
    """

    def __init__(self, name: str, origin: str, path: Path) -> None:
        self.name = name
        self.origin = origin
        self.path = path
        self._plugin: Plugin[Any] | None = None

    @property
    def where(self) -> str:
        """Origin and path for error sentences."""
        return f"{self.path} ({self.origin})"

    @property
    @abstractmethod
    def version(self) -> str:
        """Version of what it came with; empty for a dropped file."""

    @property
    def sha256(self) -> str:
        """Hash of its source in hex: of the file, or of every file of the folder by relative path."""
        if self.path.is_file():
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        total = hashlib.sha256()
        for file in _files_of(self.path):
            total.update(f"{file.relative_to(self.path)}\0{file.stat().st_size}\0".encode())
            total.update(file.read_bytes())
        return total.hexdigest()

    @property
    def plugin(self) -> Plugin[Any]:
        """The plugin value; imported at the first use.

        Raises:
            PluginError: the import fails, there is no fitting ``PLUGIN``, or it was written for another API.
        """
        if self._plugin is None:
            self._plugin = self._checked(self._import())
        return self._plugin

    @abstractmethod
    def _import(self) -> object:
        """The object that ``PLUGIN`` should be."""

    def _checked(self, value: object) -> Plugin[Any]:
        if not isinstance(value, Plugin):
            raise PluginError(self.name, f"{self.path}: there is no PLUGIN = Plugin(...) in it")
        if value.name != self.name:
            raise PluginError(
                self.name,
                f"{self.path}: PLUGIN.name is {value.name!r}; a plugin is called like its file or entry point",
            )
        if type(value.api) is not int or value.api not in SUPPORTED_API:
            raise PluginError(
                self.name,
                f"{self.path}: it was written for plugin API {value.api}, this provd supports "
                f"{SUPPORTED_API.start} to {SUPPORTED_API.stop - 1}",
            )
        if not (isinstance(value.settings, type) and issubclass(value.settings, msgspec.Struct)):
            raise PluginError(self.name, f"{self.path}: PLUGIN.settings is not a msgspec.Struct type")
        if not value.settings.__struct_config__.forbid_unknown_fields:
            raise PluginError(self.name, f"{self.path}: PLUGIN.settings must be declared with forbid_unknown_fields")
        if not callable(value.build):
            raise PluginError(self.name, f"{self.path}: PLUGIN.build cannot be called")
        return value


class FoundFile(Found):
    """A plugin that is a file or a folder with ``__init__.py``."""

    def __init__(self, name: str, origin: str, path: Path, *, trusted: bool) -> None:
        super().__init__(name, origin, path)
        self._trusted = trusted

    @property
    def version(self) -> str:
        """Provd's own for a shipped one; empty where provd runs from a bare checkout."""
        try:
            return installed_version("provd") if self._trusted else ""
        except PackageNotFoundError:
            return ""

    def _import(self) -> object:
        if not self.name.isidentifier():
            raise PluginError(self.name, f"{self.path}: letters, digits and underscores make a plugin's name")
        folder = self.path if self.path.is_dir() else None
        main = self.path / "__init__.py" if folder else self.path
        if not self._trusted:
            for file in _files_of(self.path) if folder else ():
                _read_checked(file, self.name)
            if folder:
                check_directory(folder)
        source = main.read_bytes() if self._trusted else _read_checked(main, self.name)
        return getattr(_execute(self.name, main, folder, source), "PLUGIN", None)


class FoundInstalled(Found):
    """A plugin of an installed package, announced by an entry point."""

    def __init__(self, point: EntryPoint) -> None:
        self._point = point
        distribution = point.dist.name if point.dist else "unknown"
        super().__init__(point.name, f"entry point {distribution}", _source_of(point))

    @property
    def version(self) -> str:
        """Version of its distribution."""
        return self._point.dist.version if self._point.dist else ""

    def _import(self) -> object:
        try:
            loaded = self._point.load()
        except Exception as error:
            raise PluginError(
                self.name, f"entry point {self._point.value} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        return getattr(loaded, "PLUGIN", None) if isinstance(loaded, ModuleType) else loaded


def check_directory(directory: Path) -> None:
    """Refuse a directory whose owner or mode lets others decide what provd runs.

    Raises:
        PluginError: missing, foreign-owned, or writable by group or others.
    """
    try:
        status = directory.stat()
    except OSError as error:
        raise PluginError(str(directory), f"the plugin directory cannot be read: {error.strerror}") from error
    if not stat.S_ISDIR(status.st_mode):
        raise PluginError(str(directory), "it is configured as a plugin directory, but it is not a directory")
    _check_owner(status, directory, str(directory))


def _check_owner(status: os.stat_result, path: Path, name: str) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise PluginError(name, f"{path} belongs to user {status.st_uid}; it must be root or the service user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        raise PluginError(name, f"{path} may be written by group or others (mode {mode:04o}); use chmod go-w")


def _read_checked(path: Path, name: str) -> bytes:
    """Octets of a file whose owner and mode were checked on the very descriptor that is read."""
    try:
        descriptor = os.open(path.resolve(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise PluginError(name, f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        _check_owner(os.fstat(file.fileno()), path, name)
        check_directory(path.resolve().parent)
        return file.read()


def _files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _execute(name: str, main: Path, folder: Path | None, source: bytes) -> ModuleType:
    suffix = hashlib.sha256(str(main).encode()).hexdigest()[:8]
    module_name = f"_provd_plugin_{name}_{suffix}"
    locations = [str(folder)] if folder else None
    spec = importlib.util.spec_from_file_location(module_name, main, submodule_search_locations=locations)
    if spec is None:
        raise PluginError(name, f"{main} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    # dataclasses and msgspec look their module up by name while its classes are made
    sys.modules[module_name] = module
    try:
        exec(compile(source, str(main), "exec"), module.__dict__)  # noqa: S102  loading a plugin is running it
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise PluginError(name, f"{main}{line}: it cannot be imported: {type(error).__name__}: {error}") from error
    return module


def _source_of(point: EntryPoint) -> Path:
    """File or folder of an entry point's module, found without importing it."""
    roots = []
    if point.dist is not None:
        roots.append(Path(str(point.dist.locate_file(""))))
    top = point.module.partition(".")[0]
    # An editable install has its files elsewhere. To look for a top-level module runs none of its code.
    spec = importlib.util.find_spec(top)
    if spec is not None and spec.origin:
        file = Path(spec.origin)
        roots.append(file.parent.parent if file.name == "__init__.py" else file.parent)
    for root in roots:
        base = root / point.module.replace(".", "/")
        for path in (base.with_name(base.name + ".py"), base):
            if path.exists():
                return path
    return Path(point.module)
