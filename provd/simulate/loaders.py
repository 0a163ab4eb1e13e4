"""What the boot loaders do once firmware started them: pxelinux, and shim with GRUB."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Final

from provd.model.boot import NOTHING_INSTALLED
from provd.simulate import ipxe_script, pxelinux_config
from provd.simulate.actions import BootError, Fetched, HttpSend, Stage, TftpGet
from provd.simulate.dhcp import Bound
from provd.simulate.firmware import Machine
from provd.simulate.grub_script import Boots, GrubScript, ReadFile
from provd.simulate.grub_words import ScriptError

GRUB_AGENT: Final = "GRUB 2.06-13+deb12u1"
_LISTS: Final = ("command.lst", "fs.lst", "crypto.lst", "terminal.lst")
_SHIM_ASKS: Final = ("revocations_sku.efi", "revocations_sbat.efi", "shim_certificate_0.efi")


@dataclass(frozen=True, slots=True)
class Platform:
    """How shim and GRUB are called on one processor.

    Attributes:
        grub: what shim loads.
        modules: folder of GRUB's lists of modules, below its prefix.
    """

    grub: str
    modules: str


X64_EFI: Final = Platform("grubx64.efi", "x86_64-efi")
ARM64_EFI: Final = Platform("grubaa64.efi", "arm64-efi")


@dataclass(frozen=True, slots=True)
class Started:
    """What a loader starts.

    Attributes:
        action: ``install`` (a kernel), ``start`` (what installs nothing), ``local`` (the disk), ``waiting`` (it would
            ask again for ever) or ``stopped``.
        kernel: its octets.
        initrd: octets of each initial RAM disk.
        command_line: of the kernel.
        config: path of the configuration that was used.
        asked: names that were asked for, in order, with the status of each answer.
        said: what stood on the screen.
        loader: path of a loader chained from the disk.
    """

    action: str
    kernel: bytes = b""
    initrd: tuple[bytes, ...] = ()
    command_line: str = ""
    config: str = ""
    asked: tuple[tuple[str, int], ...] = ()
    said: tuple[str, ...] = ()
    loader: str = ""


@dataclass(slots=True)
class _Fetcher:
    """Fetches for one loader and remembers what it asked for."""

    bound: Bound
    options: tuple[tuple[str, str], ...]
    agent: str
    asked: list[tuple[str, int]] = field(default_factory=list)

    def get(self, path: str) -> Stage[Fetched]:
        """A URL by HTTP, anything else by TFTP from the next server."""
        found: Fetched
        if path.startswith("http://"):
            found = yield HttpSend(path, headers={"User-Agent": self.agent}, source=self.bound.address)
        else:
            found = yield TftpGet(self.bound.next_server, path, self.options, source=self.bound.address)
        self.asked.append((path, found.status))
        return found


def pxelinux(machine: Machine, bound: Bound) -> Stage[Started]:
    """Pxelinux 6: its library, the search order, then what the configuration starts.

    Raises:
        BootError: no configuration, one that starts nothing, or a file that is missing.
    """
    folder = posixpath.dirname(bound.file)
    fetcher = _Fetcher(bound, (("tsize", "0"), ("blksize", "1408")), "Syslinux/6.04")
    library = yield from fetcher.get(posixpath.join(folder, "ldlinux.c32"))
    if not library.ok:
        raise BootError("pxelinux", "ldlinux.c32 is missing")
    for name in pxelinux_config.search_order(machine.mac, bound.address):
        path = posixpath.join(folder, "pxelinux.cfg", name)
        found = yield from fetcher.get(path)
        if found.ok:
            break
    else:
        raise BootError("pxelinux", "no configuration was found")
    while True:
        entry = yield from _pxelinux_entry(machine, bound, found, path, fetcher)
        if entry.localboot is not None:
            return Started("local", config=path, asked=tuple(fetcher.asked), said=entry.said)
        if not entry.config:
            break
        # A configuration that reads itself again waits; it is read once more, for what that asks.
        wanted = posixpath.join(folder, entry.config)
        found = yield from fetcher.get(wanted)
        if wanted == path or "pxelinux.cfg/" not in wanted:
            return Started("waiting", config=path, asked=tuple(fetcher.asked), said=entry.said)
        if not found.ok:
            raise BootError("pxelinux", f"{wanted}: {found.error or found.status}")
        path = wanted
    loaded: list[bytes] = []
    for file in (entry.kernel, *entry.initrd):
        answer = yield from fetcher.get(file)
        if not answer.ok:
            raise BootError("pxelinux", f"{file}: {answer.error or answer.status}")
        loaded.append(answer.body)
    action = _action(found.body)
    return Started(action, loaded[0], tuple(loaded[1:]), entry.command_line, path, tuple(fetcher.asked), entry.said)


def _pxelinux_entry(
    machine: Machine, bound: Bound, found: Fetched, path: str, fetcher: _Fetcher
) -> Stage[pxelinux_config.Entry]:
    """What one configuration starts, by its menu where it has one."""
    try:
        entry = pxelinux_config.parse(
            found.body.decode(),
            mac=machine.mac,
            address=bound.address,
            server=bound.next_server,
            choice=machine.choice,
        )
    except ValueError as error:
        raise BootError("pxelinux", f"{path}: {error}") from error
    if entry.module and not (yield from fetcher.get(posixpath.join(posixpath.dirname(bound.file), entry.module))).ok:
        raise BootError("pxelinux", f"{entry.module} is missing")
    return entry


def _action(config: bytes) -> str:
    """A configuration that starts something says whether that installs."""
    return "start" if NOTHING_INSTALLED.encode() in config else "install"


def ipxe(machine: Machine, bound: Bound, *, efi: bool) -> Stage[Started]:
    """IPXE with its own DHCP round ``bound``: the script it was given, by TFTP or HTTP, and what that starts.

    Raises:
        BootError: no script, one that iPXE cannot run, or one that ends without a boot.
    """
    fetcher = _Fetcher(bound, (("blksize", "1432"), ("tsize", "0")), "iPXE/1.21.1")
    found = yield from fetcher.get(bound.file)
    if not found.ok:
        raise BootError("iPXE", f"{bound.file}: {found.error or found.status}")
    settings = ipxe_script.settings_of(machine.mac, bound.address, bound.next_server, efi=efi)
    script, files = bound.file, {bound.file: found.body}
    while True:
        found = replace(found, body=files[script])
        running = ipxe_script.IpxeScript(script, dict(settings), machine.choice)
        end = yield from _script(running, files, fetcher)
        if end.kind != "chain":
            break
        script = end.kernel
    asked = tuple(fetcher.asked)
    if end.kind != "boot":
        return Started(end.kind, config=bound.file, asked=asked, said=end.said)
    initrd = tuple(files[url] for url in end.initrd)
    return Started(_action(found.body), files[end.kernel], initrd, end.command_line, bound.file, asked, end.said)


def _script(script: ipxe_script.IpxeScript, files: dict[str, bytes], fetcher: _Fetcher) -> Stage[ipxe_script.IpxeEnd]:
    """One script to its end; what it fetches goes to ``files``."""
    running = script.run(files[script.base].decode("utf-8", "replace"))
    ok: bool | None = None
    try:
        while True:
            try:
                wanted = running.send(ok)  # type: ignore[arg-type]
            except StopIteration as stop:
                end: ipxe_script.IpxeEnd = stop.value
                return end
            file = yield from fetcher.get(wanted.url)
            files[wanted.url], ok = file.body, file.ok
    except ipxe_script.IpxeScriptError as error:
        raise BootError("iPXE", f"{script.base}: {error}") from error


def shim(bound: Bound, platform: Platform = X64_EFI) -> Stage[Fetched]:
    """shim: asks for revocations, then loads the GRUB beside itself; returns GRUB.

    Raises:
        BootError: GRUB is missing.
    """
    folder = posixpath.dirname(bound.file)
    fetcher = _Fetcher(bound, (("blksize", "512"), ("windowsize", "4")), "")
    for name in _SHIM_ASKS:
        yield from fetcher.get(posixpath.join(folder, name))
    grub = yield from fetcher.get(posixpath.join(folder, platform.grub))
    if not grub.ok:
        raise BootError("shim", f"{platform.grub}: {grub.error or grub.status}")
    return grub


def grub_by_tftp(
    machine: Machine,
    bound: Bound,
    platform: Platform = X64_EFI,
    *,
    prefix: str = "/grub",
    disk: Collection[str] = (),
) -> Stage[Started]:
    """The signed GRUB: module lists and ``grub.cfg`` below its built-in prefix, all by TFTP.

    GRUB 2.06 takes its server from the DHCP acknowledgement, whatever a proxy said.

    Raises:
        BootError: no configuration, or one that GRUB cannot run.
    """
    bound = replace(bound, next_server=bound.ack_server)
    fetcher = _Fetcher(bound, (("blksize", "1024"), ("tsize", "0")), GRUB_AGENT)
    for name in _LISTS:
        yield from fetcher.get(f"{prefix}/{platform.modules}/{name}")
    variables = {
        "net_default_mac": machine.mac.hex(":"),
        "net_default_ip": bound.address,
        "net_default_server": bound.next_server,
        "prefix": f"(tftp,{bound.next_server}){prefix}",
        "root": f"tftp,{bound.next_server}",
    }
    config = yield from fetcher.get(f"{prefix}/grub.cfg")
    if not config.ok:
        raise BootError("GRUB", f"grub.cfg: {config.error or config.status}")
    return (yield from _run(GrubScript(variables, disk, machine.choice), config, f"{prefix}/grub.cfg", fetcher))


def grub_by_http(machine: Machine, bound: Bound, *, server: str = "", disk: Collection[str] = ()) -> Stage[Started]:
    """GRUB after UEFI HTTP boot: no variables from firmware; its own DHCP round gave ``bound``.

    Args:
        machine: which machine.
        bound: its DHCP round.
        server: address and port written into the image, empty for the server that DHCP names.
        disk: files on its EFI system partition.

    Raises:
        BootError: no configuration on the ports it tries, or one that GRUB cannot run.
    """
    fetcher = _Fetcher(bound, (), GRUB_AGENT)
    for host in (server.removesuffix(":80"),) if server else (bound.server, f"{bound.server}:8080"):
        path = f"http://{host}/grub/{machine.mac.hex(':')}/grub.cfg"
        config = yield from fetcher.get(path)
        # GRUB 2.06 runs the body of an error, so an empty one is as good as none.
        if config.ok or config.body:
            variables = {"root": f"http,{host}", "prefix": f"(http,{host})/grub"}
            return (yield from _run(GrubScript(variables, disk, machine.choice), config, path, fetcher))
    raise BootError("GRUB", "no configuration was found on port 80 or 8080")


def _run(script: GrubScript, config: Fetched, path: str, fetcher: _Fetcher) -> Stage[Started]:
    files: dict[str, bytes] = {}
    running = script.run(config.body.decode("utf-8", "replace"))
    text: str | None = None
    try:
        while True:
            try:
                wanted = running.send(text)
            except StopIteration as end:
                started = _started(end.value, files, path, tuple(fetcher.asked))
                return (
                    replace(started, action=_action(b"".join((config.body, *files.values()))))
                    if started.action == "install"
                    else started
                )
            found = yield from fetcher.get(_location(wanted, script))
            files[wanted.path] = found.body
            text = found.body.decode("latin-1") if found.ok else None
    except ScriptError as error:
        raise BootError("GRUB", f"{path}: {error}") from error


def _location(wanted: ReadFile, script: GrubScript) -> str:
    """``(http,HOST)/PATH`` as a URL, ``(tftp,HOST)/PATH`` as a path; without a device, ``root`` counts."""
    path = wanted.path
    if not path.startswith("("):
        path = f"({script.variables.get('root', '')}){path}"
    device, _, rest = path[1:].partition(")")
    kind, _, host = device.partition(",")
    if kind != "http":
        return rest
    parts = host.split(":")[0].split(".")
    if all(part.startswith("0x") for part in parts):
        host = str(IPv4Address(bytes(int(part, 16) for part in parts)))
    return f"http://{host}{rest}"


def _started(end: Boots, files: dict[str, bytes], path: str, asked: tuple[tuple[str, int], ...]) -> Started:
    if end.kind == "chain" and end.kernel:
        return Started("start", files[end.kernel], (), end.command_line, path, asked, end.said)
    if end.kind == "chain":
        return Started("local", config=path, asked=asked, said=end.said, loader=end.loader)
    if end.kind == "waiting":
        return Started("waiting", config=path, asked=asked, said=end.said)
    if end.kind != "linux":
        return Started("stopped", config=path, asked=asked, said=(*end.said, end.kind))
    initrd = tuple(files[name] for name in end.initrd)
    return Started("install", files[end.kernel], initrd, end.command_line, path, asked, end.said)
