"""Pieces of an Ignition file: files, links and units (Ignition configuration specification 3.x)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote


def data_url(text: str) -> str:
    """Text as a URL of its own (RFC 2397); slashes and colons stay, so that addresses in it can be read."""
    return f"data:,{quote(text, safe='/:')}"


def file(path: str, text: str, mode: int = 0o644) -> dict[str, Any]:
    """A file that takes the place of one that is there."""
    return {"path": path, "mode": mode, "overwrite": True, "contents": {"source": data_url(text)}}


def appended(path: str, text: str) -> dict[str, Any]:
    """Lines at the end of a file."""
    return {"path": path, "append": [{"source": data_url(text)}]}


def link(path: str, target: str) -> dict[str, Any]:
    """A symbolic link that takes the place of one that is there."""
    return {"path": path, "target": target, "overwrite": True, "hard": False}


def unit(name: str, contents: str) -> dict[str, Any]:
    """A unit that is enabled."""
    return {"name": name, "enabled": True, "contents": contents}


def merged(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str = "ignition") -> dict[str, Any]:
    """Both tables in one: tables are merged, lists put together, single values are theirs.

    Raises:
        ValueError: a key is a table or list here and something else there.
    """
    made = dict(ours)
    for key, value in theirs.items():
        old, place = made.get(key), f"{path}.{key}"
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            made[key] = merged(old, value, place)
        elif isinstance(old, list) and isinstance(value, list | tuple):
            made[key] = [*old, *value]
        elif isinstance(old, Mapping | list):
            wanted = "table" if isinstance(old, Mapping) else "list"
            raise ValueError(f"answers.{place} must be a {wanted}")  # noqa: TRY004  as for other answers
        else:
            made[key] = value
    return made
