"""What a process does to the files of one folder, call by call, as strace(1) saw it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CALLS: Final = (
    "open,openat,creat,close,dup,dup2,dup3,write,pwrite64,writev,pwritev,pwritev2,lseek,truncate,ftruncate,fallocate,"
    "fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,link,linkat,mmap,sendfile,copy_file_range"
)
_LINE: Final = re.compile(r"(\d+) +(.*)", re.DOTALL)
_WHOLE: Final = re.compile(r"(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)", re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that came back without an error.

    Attributes:
        name: as the kernel calls it.
        texts: its quoted arguments, in order: names of files, octets that were written.
        rest: its other arguments, as strace prints them.
        result: what it returned.
    """

    name: str
    texts: tuple[bytes, ...]
    rest: tuple[str, ...]
    result: int


def record(command: Sequence[str], cwd: Path, trace: Path) -> list[Call]:
    """Run a command to its end and give every call that concerns files; it must succeed."""
    argv = ["strace", "-f", "-qq", "-xx", "-s", "16777216", "-e", "signal=none", "-e", f"trace={_CALLS}"]
    whole = [*argv, "-o", str(trace), *command]
    subprocess.run(whole, check=True, cwd=cwd, env=_plain(cwd), stdout=subprocess.DEVNULL, timeout=120)
    return list(_calls(trace))


def _plain(cwd: Path) -> dict[str, str]:
    # Byte code would be written between the calls that are looked at.
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(cwd)}


def _calls(trace: Path) -> Iterator[Call]:
    begun: dict[str, str] = {}
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = _LINE.match(line.rstrip("\n"))
            if found is None:
                continue
            thread, text = found[1], found[2]
            if text.endswith(" <unfinished ...>"):
                begun[thread] = text.removesuffix(" <unfinished ...>")
                continue
            if text.startswith("<... "):
                text = begun.pop(thread) + text.partition(" resumed>")[2]
            call = _parsed(text)
            if call is not None:
                yield call


def _parsed(text: str) -> Call | None:
    found = _WHOLE.match(text)
    if found is None or found[3] == "?" or found[3].startswith("-"):
        return None
    texts = tuple(bytes.fromhex(each.replace("\\x", "")) for each in _QUOTED.findall(found[2]))
    rest = tuple(each.strip() for each in _QUOTED.sub("", found[2]).split(","))
    return Call(found[1], texts, rest, int(found[3], 0))
