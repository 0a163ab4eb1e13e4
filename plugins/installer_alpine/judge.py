"""Judge of Alpine's scripts and answer file: a shell for their form, and what setup-alpine would ask for otherwise.

Keys: the answer file that ``setup-alpine -c`` writes (alpine-conf).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping

from provd.plugin.api import Finding

NEEDED = (
    "KEYMAPOPTS",
    "HOSTNAMEOPTS",
    "INTERFACESOPTS",
    "TIMEZONEOPTS",
    "PROXYOPTS",
    "APKREPOSOPTS",
    "SSHDOPTS",
    "NTPOPTS",
    "DISKOPTS",
    "ERASE_DISKS",
)
"""Without one of these setup-alpine asks, and waits for ever."""
KNOWN = frozenset(
    {
        *NEEDED, "DNSOPTS", "DEVDOPTS", "USEROPTS", "USERSSHKEY", "ROOTSSHKEY", "LBUOPTS", "APKCACHEOPTS",
        "KERNELOPTS", "BOOTLOADER", "ROOTFS", "BOOTFS", "VARFS", "BOOT_SIZE", "SWAP_SIZE", "ROOT_SIZE", "DISKLABEL",
        "USE_EFI", "SYSROOT",
    }
)  # fmt: skip
_KEY = re.compile(r"^\s*(?:export\s+)?([A-Z][A-Z_]*)=(.*)$", re.MULTILINE)
_LINE = re.compile(r"(?:^|: )(?:line )?(\d+): (.*)$", re.MULTILINE)


def judged(documents: Mapping[str, str]) -> Iterator[Finding]:
    """What is wrong, a sentence each."""
    for name, text in documents.items():
        yield from _form(name, text)
    yield from (Finding("error", "answers", sentence) for sentence in _answers(documents.get("answers", "")))


def _form(name: str, text: str) -> Iterator[Finding]:
    """What a shell that reads and does nothing says."""
    busybox, shell = shutil.which("busybox"), shutil.which("sh")
    command = [busybox, "sh"] if busybox else [shell] if shell else []
    if not command:
        yield Finding("warning", name, "not judged: there is no shell here")
        return
    run = subprocess.run([*command, "-n"], input=text.encode(), capture_output=True, check=False, timeout=30)
    if run.returncode:
        said = run.stderr.decode("utf-8", "replace").strip()
        found = _LINE.search(said)
        line, sentence = (int(found[1]), found[2]) if found else (0, said)
        yield Finding("error", name, f"the shell says: {sentence[:200]}", line)


def _answers(text: str) -> Iterator[str]:
    found = dict(_KEY.findall(text))
    yield from (f"{key} is missing, so setup-alpine would ask" for key in NEEDED if key not in found)
    yield from (f"{key} is no key of setup-alpine" for key in found if key not in KNOWN)
    if "DISKOPTS" in found and "-m sys" not in found["DISKOPTS"]:
        yield "DISKOPTS has no -m sys, so nothing would be installed"
