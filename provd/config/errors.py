"""What is wrong with a configuration file, as one sentence with its place."""

from __future__ import annotations

from dataclasses import dataclass

from provd.model.scrub import scrub_urls


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in one file that did not stop anything else.

    Attributes:
        file: path of the file, or empty where the fault is in the store.
        key: key path inside it, as in ``subnet[0].pool``; empty where the whole file is meant.
        rule: one sentence: what was found and which rule it breaks.
        line: line number from 1, 0 where it is not known.
        subject: what is left out because of it, as in ``profile web``; empty where nothing is.
    """

    file: str
    key: str
    rule: str
    line: int = 0
    subject: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.file else f"line {self.line}"
        place = f"{self.file}{line}" if self.line else self.file
        return scrub_urls(": ".join(part for part in (place, self.key, self.rule) if part))


class ConfigError(ValueError):
    """A configuration that cannot be used.

    Attributes:
        problem: the place and the rule.
    """

    def __init__(self, file: str, key: str, rule: str, line: int = 0) -> None:
        """Name the place and the rule; see :class:`Problem` for the arguments."""
        self.problem = Problem(file, key, rule, line)
        super().__init__(str(self.problem))

    @property
    def file(self) -> str:
        """Path of the file."""
        return self.problem.file

    @property
    def key(self) -> str:
        """Key path inside the file."""
        return self.problem.key

    @property
    def rule(self) -> str:
        """What was found and which rule it breaks."""
        return self.problem.rule
