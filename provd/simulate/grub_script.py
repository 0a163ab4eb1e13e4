"""Runs GRUB script: enough of its commands to start a kernel, chain a loader, or read another file."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from provd.simulate.grub_tree import Block, Command, For, Function, If, MenuEntry, Node, While, parse
from provd.simulate.grub_words import ScriptError, Word

_QUIET: Final = frozenset(
    {"insmod", "terminal_input", "terminal_output", "serial", "loadfont", "load_env", "save_env", "export", "clear",
     "gfxmode", "background_image", "play", "unset", "sleep", "true", ":", "nativedisk", "rmmod", "linux_pad",
     "password_pbkdf2"}
)  # fmt: skip
_READING: Final = frozenset(
    {"linux", "linuxefi", "linux16", "initrd", "initrdefi", "initrd16", "source", ".", "configfile"}
)
_MOST_STEPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Boots:
    """How a run ended.

    Attributes:
        kind: ``linux``, ``chain``, ``exit``, ``reboot``, ``waiting`` (it asks again and again) or ``menu`` (a prompt
            that waits for ever).
        kernel: path with or without a device in parentheses; of ``chain`` the program that came by network.
        initrd: paths.
        command_line: arguments, as the kernel gets them after its own path.
        loader: path of what is chained.
        said: lines of ``echo``.
    """

    kind: str
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    command_line: str = ""
    loader: str = ""
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The script wants a file: the run is sent its text, or None where it is not there."""

    path: str


class _EndError(Exception):
    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


Run = Generator[ReadFile, str | None, bool]


@dataclass(slots=True)
class GrubScript:
    """The state of one GRUB.

    Attributes:
        variables: environment, as ``net_default_mac`` and ``prefix``.
        disk_files: paths that ``search --file`` finds on the machine's own disks.
        choice: menu entry that somebody chooses, by its id; empty: nobody is there.
    """

    variables: dict[str, str] = field(default_factory=dict)
    disk_files: Collection[str] = ()
    choice: str = ""
    _chose: bool = False
    _functions: dict[str, Block] = field(default_factory=dict)
    _kernel: str = ""
    _arguments: str = ""
    _initrd: tuple[str, ...] = ()
    _loader: str = ""
    _said: list[str] = field(default_factory=list)
    _steps: int = 0

    def run(self, text: str) -> Generator[ReadFile, str | None, Boots]:
        """Run a configuration to its end.

        Raises:
            ScriptError: it is not GRUB script, names an unknown command, or never ends.
        """
        try:
            entry = yield from self._file(text)
            if entry is not None:
                yield from self._block(entry.body)
                # The end of a menu entry boots what it loaded.
                yield from self._command(["boot"])
        except _EndError as end:
            return self._result(end.kind)
        return self._result("menu")

    def _result(self, kind: str) -> Boots:
        said = tuple(self._said)
        return Boots(kind, self._kernel, self._initrd, self._arguments, self._loader, said)

    def _file(self, text: str) -> Generator[ReadFile, str | None, MenuEntry | None]:
        """Run one file; the menu entry that starts once the file is read is returned."""
        entries: list[MenuEntry] = []
        for node in parse(text):
            if isinstance(node, MenuEntry):
                entries.append(node)
            else:
                yield from self._node(node)
        return self._entry(entries)

    def _entry(self, entries: list[MenuEntry]) -> MenuEntry | None:
        """The one that somebody chooses, also in a menu below, else the default, else the first."""
        everywhere = {self._id(one): one for one in _with_below(entries)}
        if entries and self.choice and not self._chose:
            if self.choice not in everywhere:
                raise ScriptError(f"the choice names the entry {self.choice!r}, which is not there")
            self._chose = True
            return everywhere[self.choice]
        wanted = self.variables.get("default", "")
        if number := re.match(r"\d+", wanted):
            # GRUB 2.06 reads a number from the beginning, whatever follows it.
            return next(iter(entries[int(number[0]) :] or entries), None)
        here = {self._id(one): one for one in entries}
        return here.get(wanted) or (entries[0] if entries else None)

    def _id(self, entry: MenuEntry) -> str:
        words = self._expand(entry.words)
        return next((after for word, after in pairwise(words) if word == "--id"), words[0] if words else "")

    def _block(self, block: Block) -> Run:
        outcome = True
        for node in block:
            outcome = yield from self._node(node)
        return outcome

    def _node(self, node: Node) -> Run:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise ScriptError("the script does not end")
        match node:
            case Function():
                self._functions[node.name] = node.body
                return True
            case If():
                for test, body in node.branches:
                    if (yield from self._block(test)):
                        return (yield from self._block(body))
                return (yield from self._block(node.otherwise))
            case For():
                outcome = True
                for value in self._expand(node.words):
                    self.variables[node.name] = value
                    outcome = yield from self._block(node.body)
                return outcome
            case While():
                return (yield from self._while(node))
            case Command():
                return (yield from self._command(self._expand(node.words)))
            case _:
                return True

    def _while(self, loop: While) -> Run:
        """A loop that sleeps and never ends waits: its body is run once, for what it asks."""
        while (yield from self._block(loop.test)):
            yield from self._block(loop.body)
            if any(isinstance(node, Command) and node.words[0].plain == "sleep" for node in loop.body):
                raise _EndError("waiting")
            self._steps += 1
            if self._steps > _MOST_STEPS:
                raise ScriptError("the script does not end")
        return True

    def _expand(self, words: tuple[Word, ...]) -> list[str]:
        """Words with their variables' values; an empty unquoted one vanishes."""
        found: list[str] = []
        for word in words:
            text = "".join(self.variables.get(p.text, "") if p.variable else p.text for p in word.pieces)
            if text or any(piece.quoted or not piece.variable for piece in word.pieces):
                found.append(text)
        return found

    def _command(self, words: list[str]) -> Run:
        if not words:
            return True
        name, arguments = words[0], words[1:]
        if name in self._functions:
            return (yield from self._call(name, arguments))
        ending = self._ending(name)
        if ending is not None:
            raise ending
        if name == "chainloader" and self.variables.get("root", "").startswith(("tftp,", "http,")):
            loaded = yield from self._load_kernel(arguments)
            self._loader = arguments[0] if loaded else ""
            return loaded
        if name in _READING:
            return (yield from self._reading(name, arguments))
        return self._simple(name, arguments)

    def _ending(self, name: str) -> _EndError | None:
        """``boot``, ``exit``, ``reboot`` and ``halt``; a boot without anything loaded ends nothing."""
        if name == "boot" and (self._kernel or self._loader):
            return _EndError("chain" if self._loader else "linux")
        return _EndError("exit" if name == "exit" else "reboot") if name in {"exit", "reboot", "halt"} else None

    def _reading(self, name: str, arguments: list[str]) -> Run:
        if name.startswith("linux"):
            return (yield from self._load_kernel(arguments))
        if name.startswith("initrd"):
            return (yield from self._load_initrd(arguments))
        return (yield from self._source(name, arguments))

    def _simple(self, name: str, arguments: list[str]) -> bool:
        match name:
            case "set":
                self._set(arguments)
            case "echo":
                self._said.append(" ".join(arguments))
            case "chainloader":
                self._loader = next((one for one in arguments if not one.startswith("-")), "")
            case "false" | "boot":
                return False
            case "search" | "search.file":
                return self._search(arguments)
            case "[" | "test":
                return _test([one for one in arguments if one != "]"])
            case _ if "=" in name:
                self._set([name])
            case _ if name not in _QUIET:
                raise ScriptError(f"unknown command {name!r}")
        return True

    def _call(self, name: str, arguments: list[str]) -> Run:
        saved = {key: value for key, value in self.variables.items() if key.isdigit()}
        for key in saved:
            del self.variables[key]
        self.variables.update({str(index): value for index, value in enumerate(arguments, 1)})
        outcome = yield from self._block(self._functions[name])
        for index in range(1, len(arguments) + 1):
            del self.variables[str(index)]
        self.variables.update(saved)
        return outcome

    def _set(self, arguments: list[str]) -> None:
        for argument in arguments:
            name, equals, value = argument.partition("=")
            if equals:
                self.variables[name] = value

    def _load_kernel(self, arguments: list[str]) -> Run:
        if not arguments:
            raise ScriptError("linux needs a file")
        if (yield ReadFile(arguments[0])) is None:
            return False
        self._kernel = arguments[0]
        # GRUB puts double quotes round an argument with blanks, and a backslash before quotes and backslashes.
        self._arguments = " ".join(_as_kernel_word(argument) for argument in arguments[1:])
        return True

    def _load_initrd(self, arguments: list[str]) -> Run:
        for argument in arguments:
            if (yield ReadFile(argument)) is None:
                return False
        self._initrd = tuple(arguments)
        return True

    def _search(self, arguments: list[str]) -> bool:
        wanted = [one for one in arguments if not one.startswith("-")]
        target = next((one.partition("=")[2] for one in arguments if one.startswith("--set=")), "root")
        if not wanted or wanted[-1] not in self.disk_files:
            return False
        self.variables[target] = "hd0,gpt1"
        return True

    def _source(self, name: str, arguments: list[str]) -> Run:
        text = yield ReadFile(arguments[0] if arguments else "")
        if text is None:
            return False
        entry = yield from self._file(text)
        if entry is not None:
            yield from self._block(entry.body)
        if name == "configfile" and (self._kernel or self._loader):
            raise _EndError("chain" if self._loader else "linux")
        return True


def _with_below(entries: Iterable[MenuEntry]) -> Iterator[MenuEntry]:
    for entry in entries:
        yield entry
        yield from _with_below(node for node in entry.body if isinstance(node, MenuEntry))


def _as_kernel_word(argument: str) -> str:
    escaped = argument.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    return f'"{escaped}"' if " " in escaped else escaped


def _test(arguments: list[str]) -> bool:
    if arguments and arguments[0] == "!":
        return not _test(arguments[1:])
    if len(arguments) == 2 and arguments[0] in {"-z", "-n"}:
        return (arguments[1] == "") == (arguments[0] == "-z")
    if len(arguments) == 1 and arguments[0] not in {"-z", "-n"}:
        return arguments[0] != ""
    if arguments in (["-z"], ["-n"]):
        return arguments == ["-z"]
    if len(arguments) == 3 and arguments[1] in {"=", "=="}:
        return arguments[0] == arguments[2]
    if len(arguments) == 3 and arguments[1] == "!=":
        return arguments[0] != arguments[2]
    raise ScriptError(f"test {' '.join(arguments)!r} is not understood")
