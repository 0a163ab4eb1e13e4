"""What no tracked file may name: hosts that serve packages, places of one machine, words of a workplace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, tracked

# Written in pieces: this file is tracked too.
HOSTS = ["deb." + "debian.org", "ftp." + "debian.org", "security." + "debian.org", "archive." + "ubuntu.com",
         "py" + "pi.org", "files.python" + "hosted.org", "mirror.centos" + ".org", "download.rocky" + "linux.org",
         "dl.fedora" + "project.org", "github" + ".com"]  # fmt: skip
PLACES = ["/wo" + "rk/", "/ro" + "ot/.", "/tmp/bri" + "ef", ".py" + "env/"]
WORDS = ["sub" + "agent", "helper " + "agent", "co-authored" + "-by", "issue " + "tracker", "BRIEF" + ".md", "DESIGN" + ":",
         "unattended-install" + ".md", "secur" + "ity.md C", "clients" + ".md",
         "TO" + "DO", "FIX" + "ME", "XX" + "X:"]  # fmt: skip
#: A placeholder of the README that is filled with a measured time.
PLACEHOLDERS = ["MEASURED" + "_"]


def found(texts: list[str]) -> list[str]:
    """Lines of tracked files that hold one of these texts, in any case for words."""
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(text)}" for text in texts), re.IGNORECASE)
    hits = []
    for path in tracked():
        text = path.read_text(errors="replace")
        small = text.lower()
        if not any(one.lower() in small for one in texts):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                hits.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return hits


def test_the_files_are_read() -> None:
    assert {ROOT / "README.md", Path(__file__)} <= set(tracked())
    assert len(tracked()) > 300
    assert found(["# pro" + "vd\n".strip()])


@pytest.mark.parametrize(
    "texts", [HOSTS, PLACES, WORDS, PLACEHOLDERS], ids=["hosts", "places", "words", "placeholders"]
)
def test_no_tracked_file_names_it(texts: list[str]) -> None:
    assert found(texts) == []
