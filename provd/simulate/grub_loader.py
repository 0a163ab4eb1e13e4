"""What shim and GRUB do once UEFI firmware started them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from typing import Final

from provd.simulate.actions import BootError, Fetched, Stage
from provd.simulate.dhcp import Bound
from provd.simulate.firmware import Machine
from provd.simulate.grub_script import Boots, GrubScript, ReadFile
from provd.simulate.grub_words import ScriptError
from provd.simulate.loader_steps import Fetcher, Started, action_of

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


def shim(bound: Bound, platform: Platform = X64_EFI) -> Stage[Fetched]:
    """shim: asks for revocations, then loads the GRUB beside itself; returns GRUB.

    Raises:
        BootError: GRUB is missing.
    """
    folder = posixpath.dirname(bound.file)
    fetcher = Fetcher(bound, (("blksize", "512"), ("windowsize", "4")), "")
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
    fetcher = Fetcher(bound, (("blksize", "1024"), ("tsize", "0")), GRUB_AGENT)
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
    fetcher = Fetcher(bound, (), GRUB_AGENT)
    for host in (server.removesuffix(":80"),) if server else (bound.server, f"{bound.server}:8080"):
        path = f"http://{host}/grub/{machine.mac.hex(':')}/grub.cfg"
        config = yield from fetcher.get(path)
        # GRUB 2.06 runs the body of an error, so an empty one is as good as none.
        if config.ok or config.body:
            variables = {"root": f"http,{host}", "prefix": f"(http,{host})/grub"}
            return (yield from _run(GrubScript(variables, disk, machine.choice), config, path, fetcher))
    raise BootError("GRUB", "no configuration was found on port 80 or 8080")


def _run(script: GrubScript, config: Fetched, path: str, fetcher: Fetcher) -> Stage[Started]:
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
                    replace(started, action=action_of(b"".join((config.body, *files.values()))))
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
