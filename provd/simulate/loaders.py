"""What pxelinux and iPXE do once firmware started them."""

from __future__ import annotations

import posixpath
from dataclasses import replace

from provd.simulate import ipxe_script, pxelinux_config
from provd.simulate.actions import BootError, Fetched, Stage
from provd.simulate.dhcp import Bound
from provd.simulate.firmware import Machine
from provd.simulate.loader_steps import Fetcher, Started, action_of


def pxelinux(machine: Machine, bound: Bound) -> Stage[Started]:
    """Pxelinux 6: its library, the search order, then what the configuration starts.

    Raises:
        BootError: no configuration, one that starts nothing, or a file that is missing.
    """
    folder = posixpath.dirname(bound.file)
    fetcher = Fetcher(bound, (("tsize", "0"), ("blksize", "1408")), "Syslinux/6.04")
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
    action = action_of(found.body)
    return Started(action, loaded[0], tuple(loaded[1:]), entry.command_line, path, tuple(fetcher.asked), entry.said)


def _pxelinux_entry(
    machine: Machine, bound: Bound, found: Fetched, path: str, fetcher: Fetcher
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


def ipxe(machine: Machine, bound: Bound, *, efi: bool) -> Stage[Started]:
    """IPXE with its own DHCP round ``bound``: the script it was given, by TFTP or HTTP, and what that starts.

    Raises:
        BootError: no script, one that iPXE cannot run, or one that ends without a boot.
    """
    fetcher = Fetcher(bound, (("blksize", "1432"), ("tsize", "0")), "iPXE/1.21.1")
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
    return Started(action_of(found.body), files[end.kernel], initrd, end.command_line, bound.file, asked, end.said)


def _script(script: ipxe_script.IpxeScript, files: dict[str, bytes], fetcher: Fetcher) -> Stage[ipxe_script.IpxeEnd]:
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
