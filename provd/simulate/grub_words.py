"""Splits GRUB script into words and separators, with its quoting (GRUB manual, section 16.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEPARATORS: Final = frozenset(";\n")


class ScriptError(ValueError):
    """The script cannot be read or run; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a word; ``literal`` is taken as it is, otherwise ``$name`` in it is a variable.

    Attributes:
        text: characters, or the name of a variable.
        variable: it is a variable's name.
        quoted: its value is one word whatever it holds.
    """

    text: str
    variable: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or a separator (``;`` or end of line), where ``pieces`` is empty."""

    pieces: tuple[Piece, ...] = ()
    separator: str = ""

    @property
    def plain(self) -> str:
        """The word where it has neither quotes nor variables (as keywords have not), else empty."""
        if len(self.pieces) == 1 and not self.pieces[0].variable and not self.pieces[0].quoted:
            return self.pieces[0].text
        return ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.words: list[Word] = []
        self.pieces: list[Piece] = []

    def end_word(self) -> None:
        if self.pieces:
            self.words.append(Word(_joined(self.pieces)))
            self.pieces = []

    def read(self) -> list[Word]:
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in SEPARATORS:
                self.end_word()
                self.words.append(Word(separator=character))
            elif character in " \t\r":
                self.end_word()
            elif character in "{}" and not self.pieces:
                self.words.append(Word((Piece(character),)))
            elif character == "#" and not self.pieces:
                self.at = self.line_end()
                continue
            elif character == "'":
                self.pieces.append(Piece(self.single(), quoted=True))
            elif character == '"':
                self.double()
            elif character == "\\":
                self.escaped()
            elif character == "$":
                self.pieces.append(self.variable(quoted=False))
            else:
                self.pieces.append(Piece(character))
            self.at += 1
        self.end_word()
        self.words.append(Word(separator="\n"))
        return self.words

    def line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def escaped(self) -> None:
        self.at += 1
        if self.at < len(self.text) and self.text[self.at] != "\n":
            self.pieces.append(Piece(self.text[self.at], quoted=True))

    def single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise ScriptError("a single quote is not closed")
        found = self.text[self.at + 1 : end]
        self.at = end
        return found

    def double(self) -> None:
        self.pieces.append(Piece("", quoted=True))
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            character = self.text[self.at]
            if character == "\\" and self.text[self.at + 1 : self.at + 2] in {"$", '"', "\\", "\n"}:
                self.at += 1
                self.pieces.append(Piece(self.text[self.at].replace("\n", ""), quoted=True))
            elif character == "$":
                self.pieces.append(self.variable(quoted=True))
            else:
                self.pieces.append(Piece(character, quoted=True))
            self.at += 1
        if self.at >= len(self.text):
            raise ScriptError("a double quote is not closed")

    def variable(self, *, quoted: bool) -> Piece:
        rest = self.text[self.at + 1 :]
        if rest.startswith("{"):
            name, closed, _ = rest[1:].partition("}")
            if not closed:
                raise ScriptError("${ is not closed")
            self.at += len(name) + 2
            return Piece(name, variable=True, quoted=quoted)
        name = rest[:1] if rest[:1].isdigit() or rest[:1] in {"?", "@", "#", "*"} else ""
        while not name[:1].isdigit() and rest[len(name) : len(name) + 1].replace("_", "a").isalnum():
            name += rest[len(name)]
        if not name:
            return Piece("$", quoted=quoted)
        self.at += len(name)
        return Piece(name, variable=True, quoted=quoted)


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last is not None and not (last.variable or piece.variable) and last.quoted == piece.quoted:
            joined[-1] = Piece(last.text + piece.text, quoted=last.quoted)
        else:
            joined.append(piece)
    return tuple(joined)


def split(text: str) -> list[Word]:
    """Words and separators of a script.

    Raises:
        ScriptError: a quote that is not closed.
    """
    return _Reader(text).read()
