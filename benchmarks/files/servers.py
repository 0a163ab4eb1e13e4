"""The servers that are compared: configuration and command line of each, Debian's unpacked and never installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pycdlib import PyCdlib

from provd.lab.unpacked import fetch

SERVER: Final = "10.0.0.1"
CLIENT: Final = "10.0.0.2"
PORT: Final = 69
MOST: Final = 4_000
"""Transfers at once that each server is allowed."""

_PROVD: Final = """\
data_dir = "{folder}/data"
socket = "{folder}/run/provd.sock"
site_dir = "{folder}/site"
user = ""

[tftp]
transfers_max = {most}
transfers_per_client = {most}

[[interface]]
name = "server"

[[subnet]]
network = "10.0.0.0/8"
pool = "10.1.0.0-10.1.0.255"

[[plugins.static_files.directories]]
prefix = "bench"
path = "{content}"
"""

_NGINX: Final = """\
worker_processes {workers};
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen {server}:80; root {content}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """One server.

    Attributes:
        name: as the table shows it.
        prepare: writes its configuration into a folder (first argument) for content in another one (second) and gives
            its command lines, one for each daemon.
        prefix: what stands before the names of files.
    """

    name: str
    prepare: Callable[[Path, Path], list[list[str]]]
    prefix: str = ""


def tftp_servers(cache: Path) -> tuple[Contender, ...]:
    """provd, dnsmasq, tftpd-hpa and atftpd; packages are unpacked below ``cache``."""

    def hpa(_folder: Path, content: Path) -> list[list[str]]:
        address = f"{SERVER}:{PORT}"
        words = ("--foreground", "--address", address, "--user", "root", "--secure", str(content))
        return [fetch("tftpd-hpa", cache).argv("in.tftpd", *words)]

    return (
        Contender("provd", provd, "bench/"),
        Contender("dnsmasq", lambda folder, content: [dnsmasq(cache, folder, content)]),
        Contender("tftpd-hpa", hpa),
        Contender("atftpd", lambda _folder, content: [atftpd(cache, content)]),
    )


def dnsmasq(cache: Path, folder: Path, content: Path, *more: str) -> list[str]:
    """Command line of dnsmasq that serves a folder by TFTP, and what ``more`` says."""
    return fetch("dnsmasq-base", cache).argv(
        *("dnsmasq", "--keep-in-foreground", "--port=0", "--conf-file=/dev/null", "--user=root", "--quiet-tftp"),
        *("--enable-tftp", f"--tftp-root={content}", f"--tftp-max={MOST}", f"--pid-file={folder}/pid"),
        *("--interface=server", *more),
    )


def atftpd(cache: Path, content: Path) -> list[str]:
    """Command line of atftpd."""
    words = ("--daemon", "--no-fork", "--user", "root.root", "--maxthread", str(MOST), "--logfile", "/dev/null")
    return fetch("atftpd", cache).argv("atftpd", *words, "--bind-address", SERVER, "--port", str(PORT), str(content))


def http_servers(cache: Path) -> tuple[Contender, ...]:
    """provd, also from an ISO image, and nginx with one worker and sendfile, unpacked below ``cache``."""
    return (
        Contender("provd", provd, "bench/"),
        Contender("provd, ISO", provd_from_iso, "iso/bench/"),
        Contender("nginx", lambda folder, content: [nginx(cache, folder, content)]),
    )


def nginx(cache: Path, folder: Path, content: Path, workers: int = 1) -> list[str]:
    """Command line of nginx with a folder as its root."""
    text = _NGINX.format(folder=folder, content=content, server=SERVER, workers=workers)
    (folder / "nginx.conf").write_text(text)
    return fetch("nginx", cache).argv("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"))


def provd(folder: Path, content: Path) -> list[list[str]]:
    """The project's own, with its shipped plugins and one directory of content."""
    (folder / "site").mkdir(exist_ok=True)
    config = folder / "provd.toml"
    config.write_text(_PROVD.format(folder=folder, content=content, most=MOST))
    return [[sys.executable, "-m", "provd", "run", "--config", str(config)]]


def provd_from_iso(folder: Path, content: Path) -> list[list[str]]:
    """The same, and the content in an ISO image as well, which is made beside it once."""
    image = content.with_suffix(".iso")
    if not image.exists():
        _write_iso(image, content)
    argv = provd(folder, content)
    with (folder / "provd.toml").open("a") as config:
        config.write(f'\n[plugins.source_iso.images]\nbench = "{image}"\n')
    return argv


def _write_iso(image: Path, content: Path) -> None:
    iso = PyCdlib()
    iso.new(interchange_level=3, rock_ridge="1.09")
    for number, file in enumerate(sorted(content.iterdir())):
        iso.add_file(str(file), f"/F{number}.BIN;1", rr_name=file.name)
    iso.write(str(image))
    iso.close()
