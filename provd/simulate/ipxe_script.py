"""iPXE's script language, as far as boot scripts use it: the images that it loads, and how it ends.

Facts from iPXE's documentation of its commands: no quotes, words end at blanks, ``${name}`` is a setting, ``||`` and
``&&`` look at the command before them, a failing command without ``||`` ends the script.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urljoin

MAGIC: Final = b"#!ipxe"
_SETTING: Final = re.compile(r"\$\{([^}]*)\}")
_MOST_COMMANDS: Final = 10_000


class IpxeScriptError(ValueError):
    """The script cannot be run; one sentence."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """The script wants a file.

    Attributes:
        url: absolute URL, or a path on the TFTP server.
    """

    url: str


@dataclass(frozen=True, slots=True)
class IpxeEnd:
    """How a script ended.

    Attributes:
        kind: ``boot`` (a kernel), ``chain`` (another script, whose URL is ``kernel``), ``local`` (iPXE ended, or
            started the disk), ``waiting`` (it takes itself again and again), ``stopped`` (reboot, shell, an error).
        kernel: URL of the kernel.
        initrd: URLs of the initial RAM disks.
        command_line: of the kernel.
        said: what stood on the screen.
    """

    kind: Literal["boot", "chain", "local", "waiting", "stopped"]
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    command_line: str = ""
    said: tuple[str, ...] = ()


@dataclass(slots=True)
class IpxeScript:
    """One run of one script.

    Args:
        base: URL or path it came from; relative names are looked for beside it.
        settings: ``net0/mac``, ``platform``, ``next-server``, ... by name.
        choice: item that somebody chooses from a menu, also from one below; empty: nobody is there.
    """

    base: str
    settings: dict[str, str]
    choice: str = ""
    _items: list[str] = field(default_factory=list)
    _been: set[str] = field(default_factory=set)
    _images: list[tuple[str, str, str]] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)

    def run(self, text: str) -> Generator[Fetch, bool, IpxeEnd]:
        """Runs to the end; it is sent whether each file was there.

        Raises:
            IpxeScriptError: no ``#!ipxe``, an unknown command or label, or a circle.
        """
        lines = text.splitlines()
        if not lines or not lines[0].startswith(MAGIC.decode()):
            raise IpxeScriptError("the first line is not #!ipxe")
        labels = {line.strip()[1:].strip(): number for number, line in enumerate(lines) if line.strip().startswith(":")}
        at, done = 1, 0
        while at < len(lines):
            done += 1
            if done > _MOST_COMMANDS:
                raise IpxeScriptError(f"it does not end: {_MOST_COMMANDS} lines were run")
            target = yield from self._line(lines[at], at + 1)
            if isinstance(target, IpxeEnd):
                return target
            if target and target not in labels:
                raise IpxeScriptError(f"line {at + 1}: there is no label {target}")
            at = labels[target] if target else at + 1
        return self._end("local")

    def _line(self, line: str, number: int) -> Generator[Fetch, bool, IpxeEnd | str]:
        """One line; gives the label to go to, an end, or empty."""
        words = line.split()
        if not words or words[0].startswith(("#", ":")):
            return ""
        ok, run_next = True, True
        for command, operator in _commands(words):
            if run_next and command:
                result = yield from self._command([self._expanded(word) for word in command], number)
                if not isinstance(result, bool):
                    return result
                ok = result
            run_next = ok if operator == "&&" else not ok if operator == "||" else True
        if not ok and words[-1] != "||":
            self._said.append(f"line {number} failed: {line.strip()}")
            return self._end("stopped")
        return ""

    def _expanded(self, word: str) -> str:
        return _SETTING.sub(lambda match: self._setting(match[1]), word)

    def _setting(self, name: str) -> str:
        plain, _, kind = name.partition(":")
        value = self.settings.get(plain, "")
        return value.replace(":", "-") if kind == "hexhyp" else value

    def _command(self, words: list[str], number: int) -> Generator[Fetch, bool, IpxeEnd | str | bool]:
        name, arguments = words[0], words[1:]
        match name:
            case "kernel" | "initrd" | "module" | "imgfetch":
                return (yield from self._load(name, arguments, number))
            case "boot":
                kernel = next((image for image in self._images if image[0] == "kernel"), None)
                return self._end("boot") if kernel else False
            case "goto":
                return arguments[0] if arguments else ""
            case "isset":
                return bool(arguments and arguments[0])
            case "iseq":
                return len(arguments) == 2 and arguments[0] == arguments[1]
            case "exit" | "sanboot":
                return self._end("local")
            case "chain":
                return (yield from self._chain(arguments, number))
            case "reboot" | "poweroff" | "shell":
                return self._end("stopped")
        return self._simple(name, arguments, number)

    def _chain(self, arguments: list[str], number: int) -> Generator[Fetch, bool, IpxeEnd | bool]:
        """A script that takes itself again waits; it is fetched once, for what that asks."""
        wanted = next((word for word in arguments if not word.startswith("--")), "")
        if "--replace" not in arguments:
            raise IpxeScriptError(f"line {number}: chain can be simulated with --replace only")
        url = urljoin(self.base, wanted)
        if not (yield Fetch(url)):
            return False
        itself = wanted.rpartition("/")[2] == self.base.rpartition("/")[2]
        return self._end("waiting") if itself else IpxeEnd("chain", url, said=tuple(self._said))

    def _choose(self, arguments: list[str]) -> bool:
        """``choose``: an item that is wanted, a menu below that may have it, or the default after its time."""
        options = dict(zip(arguments[:-1:2], arguments[1:-1:2], strict=False))
        below = [item for item in self._items if item.startswith("/") and item not in self._been]
        if self.choice and self.choice not in self._items and below:
            chosen = below[0]
        elif self.choice and self.choice not in self._items:
            raise IpxeScriptError(f"the choice names the item {self.choice!r}, which is not there")
        else:
            chosen = self.choice or options.get("--default", "")
        self._been.add(chosen)
        self.settings[arguments[-1]] = chosen
        return bool(chosen)

    def _simple(self, name: str, arguments: list[str], number: int) -> bool:
        match name:
            case "echo":
                self._said.append(" ".join(arguments))
            case "set":
                self.settings[arguments[0]] = " ".join(arguments[1:])
            case "imgfree":
                self._images.clear()
            case "menu":
                self._items.clear()
            case "item" if arguments[:1] != ["--gap"]:
                self._items.append(arguments[0])
            case "choose":
                return self._choose(arguments)
            case "item" | "dhcp" | "sleep" | "prompt" | "ifopen" | "clear":
                pass
            case _:
                raise IpxeScriptError(f"line {number}: {name} is no command that can be simulated")
        return True

    def _load(self, kind: str, arguments: list[str], number: int) -> Generator[Fetch, bool, bool]:
        name = ""
        while arguments and arguments[0].startswith("--"):
            name, arguments = (arguments[1] if arguments[0] == "--name" else name), arguments[2:]
        if not arguments:
            raise IpxeScriptError(f"line {number}: {kind} names no file")
        url = urljoin(self.base, arguments[0])
        found = yield Fetch(url)
        if found:
            self._images.append((kind, url, " ".join(arguments[1:])))
        return found

    def _end(self, kind: Literal["boot", "local", "waiting", "stopped"]) -> IpxeEnd:
        if kind != "boot":
            return IpxeEnd(kind, said=tuple(self._said))
        kernel = next(image for image in self._images if image[0] == "kernel")
        rest = tuple(url for loaded, url, _ in self._images if loaded != "kernel")
        return IpxeEnd("boot", kernel[1], rest, kernel[2], tuple(self._said))


def _commands(words: list[str]) -> list[tuple[list[str], str]]:
    """Commands of a line, each with the operator behind it; a word that begins with a hash begins a comment."""
    found: list[tuple[list[str], str]] = []
    command: list[str] = []
    for word in words:
        if word.startswith("#"):
            break
        if word in {"||", "&&", ";"}:
            found.append((command, word))
            command = []
        else:
            command.append(word)
    return [*found, (command, "")]


def settings_of(mac: bytes, address: str, next_server: str, *, efi: bool) -> Mapping[str, str]:
    """Settings that a script may read."""
    card = mac.hex(":")
    return {
        "mac": card,
        "net0/mac": card,
        "netX/mac": card,
        "net0/ip": address,
        "ip": address,
        "next-server": next_server,
        "platform": "efi" if efi else "pcbios",
        "buildarch": "x86_64",
    }
