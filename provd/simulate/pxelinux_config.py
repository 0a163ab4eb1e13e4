"""Reads a pxelinux configuration as pxelinux does: one directive per line, names in any case."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


class ConfigError(ValueError):
    """The configuration starts nothing; the sentence says why."""


@dataclass(slots=True)
class Label:
    """One entry."""

    name: str
    kernel: str = ""
    append: str | None = None
    initrd: tuple[str, ...] = ()
    localboot: int | None = None
    config: str = ""
    ipappend: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """What is started without a key being pressed.

    Attributes:
        label: its name.
        kernel: path or URL; empty for a local boot.
        initrd: paths or URLs.
        command_line: as the kernel gets it.
        localboot: number after LOCALBOOT, or None.
        config: another configuration that is read, or empty.
        said: lines of SAY.
        module: the module that shows the menu, or empty.
    """

    label: str
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    command_line: str = ""
    localboot: int | None = None
    config: str = ""
    said: tuple[str, ...] = ()
    module: str = ""


@dataclass(slots=True)
class _Reader:
    begins: dict[str, str] = field(default_factory=dict)
    append: str | None = None
    ipappend: int = 0
    labels: dict[str, Label] = field(default_factory=dict)
    current: Label | None = None
    said: list[str] = field(default_factory=list)

    def line(self, keyword: str, rest: str) -> None:
        """One directive; what a boot without a keyboard does not need is passed over."""
        current = self.current
        match keyword:
            case "default" | "ontimeout" | "ui":
                self.begins[keyword] = self.begins.get(keyword) or rest
            case "say":
                self.said.append(rest)
            case "label":
                self.current = self.labels[rest] = Label(rest, ipappend=self.ipappend)
            case "append" if current is None:
                self.append = rest
            case "append" if current is not None:
                current.append = "" if rest == "-" else rest
            case "ipappend" | "sysappend" if current is None:
                self.ipappend = int(rest, 0)
            case "ipappend" | "sysappend" if current is not None:
                current.ipappend = int(rest, 0)
            case "kernel" | "linux" if current is not None:
                current.kernel = rest
            case "initrd" if current is not None:
                current.initrd = tuple(part for part in rest.split(",") if part)
            case "config" | "pxe" if current is not None:
                current.config = rest
            case "localboot" if current is not None:
                current.localboot = int(rest or "0", 0)


def parse(text: str, *, mac: bytes, address: str = "", server: str = "", choice: str = "") -> Entry:
    """The entry that starts by itself, or that somebody chooses.

    Args:
        text: the configuration.
        mac: for IPAPPEND 2 (BOOTIF).
        address: for IPAPPEND 1.
        server: for IPAPPEND 1.
        choice: the entry that somebody chooses where the configuration waits; empty: nobody is there.

    Raises:
        ConfigError: no default, or it names nothing that can be started.
    """
    reader = _Reader()
    for raw in text.splitlines():
        words = raw.strip().split(None, 1)
        if words and not words[0].startswith("#"):
            reader.line(words[0].lower(), words[1].strip() if len(words) > 1 else "")
    ontimeout, module = reader.begins.get("ontimeout", ""), reader.begins.get("ui", "")
    chosen = (choice if ontimeout or module else "") or ontimeout or reader.begins.get("default", "")
    if not chosen:
        raise ConfigError("there is no DEFAULT")
    name, _, extra = chosen.partition(" ")
    label = reader.labels.get(name)
    if label is None:
        raise ConfigError(
            f"{'the choice' if chosen == choice else 'DEFAULT'} names the label {name!r}, which is not there"
        )
    said = tuple(reader.said)
    if label.localboot is not None:
        return Entry(name, localboot=label.localboot, said=said, module=module)
    if label.config:
        return Entry(name, config=label.config, said=said, module=module)
    if not label.kernel:
        raise ConfigError(f"label {name!r} has neither KERNEL nor LOCALBOOT")
    return replace(_entry(reader, label, extra, mac, address, server), module=module)


def _entry(reader: _Reader, label: Label, extra: str, mac: bytes, address: str, server: str) -> Entry:
    append = label.append if label.append is not None else reader.append or ""
    words = [f"BOOT_IMAGE={label.kernel}", append]
    initrd = label.initrd
    if not initrd:
        # Without INITRD, pxelinux takes the last initrd= of the command line itself.
        found = [word.removeprefix("initrd=") for word in append.split() if word.startswith("initrd=")]
        initrd = tuple(found[-1].split(",")) if found else ()
    elif initrd:
        words.append(f"initrd={','.join(initrd)}")
    if label.ipappend & 1:
        words.append(f"ip={address}:{server}::")
    if label.ipappend & 2:
        words.append(f"BOOTIF=01-{mac.hex('-')}")
    words.append(extra)
    return Entry(label.name, label.kernel, initrd, " ".join(word for word in words if word), said=tuple(reader.said))


def search_order(mac: bytes, address: str, uuid: str = "") -> tuple[str, ...]:
    """Names that pxelinux asks for below ``pxelinux.cfg/``, in order."""
    number = "".join(f"{int(part):02X}" for part in address.split("."))
    shortened = tuple(number[:length] for length in range(8, 0, -1))
    return (*((uuid,) if uuid else ()), f"01-{mac.hex('-')}", *shortened, "default")


def kernel_words(command_line: str) -> tuple[str, ...]:
    """Arguments as Linux splits them: blanks end one, except between double quotes, which it takes away."""
    words, word, quoted, begun = [], "", False, False
    for character in command_line:
        if character == '"':
            quoted, begun = not quoted, True
        elif character.isspace() and not quoted:
            if begun:
                words.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
    return (*words, word) if begun else tuple(words)
