"""The overlay of the live system (apkovl): a tar archive over its root, read by Alpine's initial RAM disk."""

from __future__ import annotations

import gzip
import tarfile
from io import BytesIO
from typing import Final

PATH: Final = "overlay/provd.apkovl.tar.gz"
"""Served path; the initial RAM disk goes by the ending."""
START: Final = """\
#!/bin/sh
# Fetches and runs the script that installs this machine. An installed system is not told where it is.
url=
for word in $(cat /proc/cmdline); do
    case $word in provd.install=*) url=${word#*=} ;; esac
done
[ -n "$url" ] || exit 0

provd_install() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        if timeout 60 wget -q -Y off -O /run/provd.install.sh "$url"; then
            sh /run/provd.install.sh
            return
        fi
        sleep 5
    done
    echo "$url could not be fetched"
}

# in the background, or the console would have no login until the end
provd_install > /var/log/provd.log 2>&1 < /dev/null &
"""
FILES: Final = {
    # without this mark the initial RAM disk starts none of its services beside an overlay, as modloop
    "etc/.default_boot_services": ("", 0o644),
    "etc/local.d/provd.start": (START, 0o755),
}
LINKS: Final = {"etc/runlevels/default/local": "/etc/init.d/local"}


def overlay() -> bytes:
    """The archive; the same octets each time, so that caches may keep it."""
    out = BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for folder in _folders():
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for path, (text, mode) in FILES.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text.encode()), mode
            archive.addfile(entry, BytesIO(text.encode()))
        for path, target in LINKS.items():
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return out.getvalue()


def _folders() -> list[str]:
    parts = [path.split("/")[:-1] for path in (*FILES, *LINKS)]
    return sorted({"/".join(names[: depth + 1]) for names in parts for depth in range(len(names))})
