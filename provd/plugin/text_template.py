"""A short template that stands in a plugin's settings, as the subject of a mail does: same sandbox, no files."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateNotFound, TemplateSyntaxError
from jinja2.loaders import DictLoader

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
        self._name = name
        self._sandbox = Sandbox(DictLoader({}), clock, most_s)
        try:
            self._template = self._sandbox.from_string(text)
        except TemplateSyntaxError as error:
            raise ValueError(f"{name} line {error.lineno}: {error.message}") from error
        except (JinjaError, RecursionError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from error

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
