"""What the pages for people say, taken apart: command lines, paths, TOML."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")))


def blocks(path: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def outside_blocks(path: Path) -> str:
    """The text without fenced blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def named_paths(path: Path) -> Iterator[str]:
    """Targets of links and code words that are paths of the repository."""
    text = outside_blocks(path)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            yield str((path.parent / target).resolve().relative_to(ROOT))
    tops = "|".join(re.escape(top.name) for top in ROOT.iterdir() if top.is_dir() and not top.name.startswith("."))
    yield from re.findall(rf"`((?:{tops})/[\w./-]+)`", text)


def command_lines(path: Path) -> Iterator[tuple[list[str], bool]]:
    """Words after ``provd``, and whether they are a whole line of a shell block, not a code word in a sentence."""
    for block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["provd"]:
                yield words[1:], True
    for line in re.findall(r"`provd ([^`]+)`", outside_blocks(path)):
        yield shlex.split(line), False


def tracked() -> list[Path]:
    """Every tracked file that is text."""
    # Git reads no checkout of another user without being told to; tests run as a plain user in one of root's.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in told.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()]
