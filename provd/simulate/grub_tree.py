"""GRUB script as a tree: commands, ``if``, ``for``, ``while`` and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provd.simulate.grub_words import Piece, ScriptError, Word, split


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command."""

    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Branches (condition, body) in order, and what else."""

    branches: tuple[tuple[Block, Block], ...]
    otherwise: Block


@dataclass(frozen=True, slots=True)
class For:
    """A loop over words."""

    name: str
    words: tuple[Word, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class While:
    """A loop as long as a condition holds."""

    test: Block
    body: Block


@dataclass(frozen=True, slots=True)
class Function:
    """A definition."""

    name: str
    body: Block


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """``menuentry`` or ``submenu``: the default or the first one is started by itself."""

    words: tuple[Word, ...]
    body: Block


Node = Command | If | For | While | Function | MenuEntry
Block = tuple[Node, ...]

_ENDS: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "}"})


class _Parser:
    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.at = 0

    @property
    def now(self) -> Word | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def skip_separators(self) -> None:
        while self.now is not None and self.now.separator:
            self.at += 1

    def block(self, *ends: str) -> Block:
        """Nodes up to one of ``ends``, which is not consumed."""
        nodes: list[Node] = []
        while True:
            self.skip_separators()
            word = self.now
            if word is None:
                if ends:
                    raise ScriptError(f"the script ends where {' or '.join(ends)} is missing")
                return tuple(nodes)
            if word.plain in ends:
                return tuple(nodes)
            if word.plain in _ENDS:
                raise ScriptError(f"{word.plain!r} stands where a command is expected")
            nodes.append(self.node(word))

    def node(self, word: Word) -> Node:
        match word.plain:
            case "if":
                return self.condition()
            case "for":
                return self.loop()
            case "while":
                return self.long_loop()
            case "function":
                self.at += 1
                name = self.take("a name").plain
                return Function(name, self.braced())
            case "menuentry" | "submenu":
                self.at += 1
                return MenuEntry(self.until("{"), self.braced())
            case _:
                return Command(self.until())

    def take(self, what: str) -> Word:
        word = self.now
        if word is None or word.separator:
            raise ScriptError(f"{what} is missing")
        self.at += 1
        return word

    def expect(self, keyword: str) -> None:
        self.skip_separators()
        if self.take(keyword).plain != keyword:
            raise ScriptError(f"{keyword} is missing")

    def until(self, *ends: str) -> tuple[Word, ...]:
        words: list[Word] = []
        while (word := self.now) is not None and not word.separator and word.plain not in ends:
            words.append(word)
            self.at += 1
        return tuple(words)

    def braced(self) -> Block:
        self.expect("{")
        body = self.block("}")
        self.expect("}")
        return body

    def condition(self) -> If:
        branches: list[tuple[Block, Block]] = []
        otherwise: Block = ()
        self.at += 1
        while True:
            test = self.block("then")
            self.expect("then")
            branches.append((test, self.block("elif", "else", "fi")))
            keyword = self.take("fi").plain
            if keyword == "elif":
                continue
            if keyword == "else":
                otherwise = self.block("fi")
                self.expect("fi")
            return If(tuple(branches), otherwise)

    def loop(self) -> For:
        self.at += 1
        name = self.take("a name").plain
        self.expect("in")
        words = self.until()
        self.expect("do")
        body = self.block("done")
        self.expect("done")
        return For(name, words, body)

    def long_loop(self) -> While:
        self.at += 1
        test = self.block("do")
        self.expect("do")
        body = self.block("done")
        self.expect("done")
        return While(test, body)


def parse(text: str) -> Block:
    """The tree of a script.

    Raises:
        ScriptError: it is not GRUB script.
    """
    return _Parser(split(text)).block()


def literal(text: str) -> Word:
    """A word that means exactly this text."""
    return Word((Piece(text, quoted=True),))
