"""Run the suite part by part and print how long each took: ``python tests/parts.py [PART ...]``, all but ``long`` if none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
PLAIN = "not netns and not qemu and not build"

#: Arguments: a closed directory, what is needed of it, ``--``, a command. In mounts of its own, the directory is open
#: and holds nothing else.
OPEN = """
closed=$1 hold=$(mktemp -d)
shift
mount --bind "$closed" "$hold"
mount -t tmpfs -o mode=755 tmpfs "$closed"
while [ "$1" != -- ]; do
  mkdir -p "$1"
  mount --bind "$hold${1#"$closed"}" "$1"
  shift
done
shift
umount -l "$hold"
rmdir "$hold"
cd "$PWD"
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: commands in order; it fails if one of them does."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    as_plain_user: bool = False
    on_request: bool = False


def pytest(*arguments: str) -> tuple[str, ...]:
    return (str(BIN / "pytest"), "-q", "-p", "no:cacheprovider", *arguments)


OTHERS = ("--ignore=tests/long", "--ignore=tests/faults")
"""Folders that are parts of their own."""


PARTS = (
    Part(
        "check",
        (
            (str(BIN / "ruff"), "check"),
            (str(BIN / "ruff"), "format", "--check", "-q"),
            (str(BIN / "mypy"), "provd", "plugins", "tests"),
            (str(BIN / "lint-imports"),),
        ),
    ),
    Part("unit", (pytest("-n2", "-m", PLAIN, *OTHERS),), as_plain_user=True),
    Part("clients", (pytest("-m", "netns and not qemu", "--durations=5", *OTHERS),)),
    Part("faults", (pytest("-n2", "--maxschedchunk=1", "-p", "no:twisted", "tests/faults", "--durations=8"),)),
    Part("build", (pytest("-m", "build and not qemu", "--durations=5", *OTHERS),)),
    # Two machines at once is what two processors can emulate.
    Part("machines", (pytest("-n2", "--maxschedchunk=1", "-m", "qemu", "--durations=0", *OTHERS),)),
    Part("long", (pytest("tests/long", "--durations=0"),), on_request=True),
)


def plain_user() -> list[str]:
    """Command prefix that gives up root, so that the part proves that it needs none."""
    if os.geteuid() != 0:
        return []
    needed = {ROOT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()}
    prefix: list[str] = []
    for closed in sorted({top for path in needed if (top := closed_directory(path))}):
        below = [str(path) for path in sorted(needed) if path.is_relative_to(closed)]
        prefix += [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-euc",
            OPEN,
            "sh",
            str(closed),
            *below,
            "--",
        ]
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    return [*prefix, *drop]


def closed_directory(path: Path) -> Path | None:
    """The topmost directory on the way to a path that only its owner may walk through, as root's home is."""
    return next((top for top in reversed(path.parents) if not top.stat().st_mode & 0o001), None)


def run(part: Part, scratch: Path) -> bool:
    environment = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(scratch / "hypothesis")}
    prefix: list[str] = []
    if part.as_plain_user:
        prefix = plain_user()
        scratch.chmod(0o777)
        environment |= {"HOME": str(scratch), "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    codes = [
        subprocess.run([*prefix, *command], cwd=ROOT, env=environment, check=False).returncode
        for command in part.commands
    ]
    return not any(codes)


def main(names: list[str]) -> int:
    unknown = set(names) - {part.name for part in PARTS}
    if unknown:
        print(
            f"no part {', '.join(sorted(unknown))}; there are: {', '.join(part.name for part in PARTS)}",
            file=sys.stderr,
        )
        return 2
    chosen = [part for part in PARTS if (part.name in names if names else not part.on_request)]
    lines = []
    failed = False
    for part in chosen:
        print(f"==> {part.name}", flush=True)
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="provd-test-") as scratch:
            passed = run(part, Path(scratch))
        failed = failed or not passed
        lines.append(f"  {part.name:10} {'passed' if passed else 'FAILED':8} {time.monotonic() - started:6.0f} s")
    print("\n".join(["==> parts", *lines]), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
