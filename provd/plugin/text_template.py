"""A short template that stands in a plugin's settings, as the subject of a mail does: same sandbox, no files."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Mapping

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateNotFound, TemplateSyntaxError, nodes
from jinja2.loaders import DictLoader
from jinja2.meta import find_undeclared_variables

from provd.plugin.near import did_you_mean
from provd.plugin.sandbox import Sandbox
from provd.plugin.templates import bounded, reason


class TextTemplate:
    """Renders one text as answer files are rendered: undefined names are an error, and the work is bounded.

    Args:
        text: Jinja; it includes nothing.
        name: what it is called in errors.
        clock: monotonic seconds.
        most_s: seconds that one rendering may take.

    Raises:
        ValueError: it is no template; the sentence has the line.
    """

    def __init__(
        self, text: str, name: str, *, clock: Callable[[], float] = time.monotonic, most_s: float = 2.0
    ) -> None:
        self._name, self._text = name, text
        self._sandbox = Sandbox(DictLoader({}), clock, most_s)
        try:
            self._template = self._sandbox.from_string(text)
        except TemplateSyntaxError as error:
            raise ValueError(f"{name} line {error.lineno}: {error.message}") from error
        except (JinjaError, RecursionError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error

    def unknown(self, known: Collection[str]) -> list[str]:
        """Names that it reads and that will never be there, a sentence with the line each.

        Args:
            known: names that it is rendered with. One that ``default`` or ``is defined`` is asked about may be missing.
        """
        tree = self._sandbox.parse(self._text)
        excused = {
            id(asked.node)
            for asked in tree.find_all((nodes.Filter, nodes.Test))
            if asked.name in {"default", "d", "defined", "undefined"}
        }
        missing = find_undeclared_variables(tree) - {*known, *self._sandbox.globals}
        lines: dict[str, int] = {}
        for name in tree.find_all(nodes.Name):
            if name.name in missing and id(name) not in excused:
                lines.setdefault(name.name, name.lineno)
        rest = f"; known are {', '.join(known)}"
        return [
            f"{self._name} line {line}: there is no {name}{did_you_mean(name, known, rest)}"
            for name, line in lines.items()
        ]

    def render(self, variables: Mapping[str, object]) -> str:
        """The text.

        Args:
            variables: plain data by name.

        Raises:
            ValueError: an undefined name, forbidden access, or too much work or output; with the line.
        """
        self._sandbox.begin()
        try:
            return bounded(self._template, variables)
        except (Exception, RecursionError) as error:
            frames = traceback.extract_tb(error.__traceback__)
            line = next((one.lineno for one in reversed(frames) if one.filename == "<template>"), 0)
            missing = isinstance(error, TemplateNotFound)
            rule = "there is nothing that it could include" if missing else reason(error, variables)[0]
            raise ValueError(f"{self._name} line {line}: {rule}" if line else f"{self._name}: {rule}") from error
