"""Where this machine's own apt gets its packages: one-line lists and deb822 files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_OPTIONS = re.compile(r"\[[^\]]*\]")


def apt_upstream(wanted: str, folder: Path = Path("/etc/apt")) -> str:
    """URL of the first HTTP archive that apt uses.

    Args:
        wanted: a word that the URL or a suite must hold, as in ``security``; empty for the first that has none of
            ``security`` and ``backports``.
        folder: where apt's lists are.

    Raises:
        LookupError: there is none; the sentence says where was looked.
    """
    for url, suites in _archives(folder):
        text = f"{url} {suites}"
        if wanted in text if wanted else not re.search(r"security|backports", text):
            return url
    what = f" for {wanted!r}" if wanted else ""
    raise LookupError(f"{folder} names no HTTP archive{what}; set upstream to a URL")


def _archives(folder: Path) -> Iterator[tuple[str, str]]:
    """(URL, suites) of every archive, in apt's order."""
    lists = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in lists:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        if path.suffix == ".list":
            yield from _one_line(text)
        elif path.suffix == ".sources":
            yield from _deb822(text)


def _one_line(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        words = _OPTIONS.sub(" ", line.partition("#")[0]).split()
        if len(words) >= 3 and words[0] == "deb" and words[1].startswith(("http://", "https://")):
            yield words[1].rstrip("/"), words[2]


def _deb822(text: str) -> Iterator[tuple[str, str]]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = "\n".join(line for line in stanza.splitlines() if not line.startswith("#"))
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"(?m)^([\w-]+):((?:.*\n?)(?:[ \t].*\n?)*)", lines)
        }
        if "deb" not in fields.get("types", ()) or fields.get("enabled", ["yes"])[:1] == ["no"]:
            continue
        for url in fields.get("uris", ()):
            if url.startswith(("http://", "https://")):
                yield url.rstrip("/"), " ".join(fields.get("suites", ()))
