"""Renders answer file templates by registry key, sandboxed, with errors as one sentence."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.environment import Environment, Template
from jinja2.exceptions import SecurityError
from jinja2.loaders import BaseLoader

from provd.plugin.filters import MAX_CHARS, TooLargeError
from provd.plugin.near import did_you_mean
from provd.plugin.sandbox import Sandbox

COMMON_FOLDER = Path(__file__).parent / "common_templates"
"""Templates that every installer may include: finding the disk, reporting."""
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_UNDEFINED = re.compile(r"^'(?P<name>[^']+)' is undefined$")


class TemplateError(Exception):
    """A template cannot be rendered; the text is one sentence.

    Attributes:
        template: its key.
        line: line number, 0 where it is not known.
        variable: the undefined name, or empty.
    """

    def __init__(self, template: str, line: int, rule: str, variable: str = "") -> None:
        where = f"template {template} line {line}" if line else f"template {template}"
        super().__init__(f"{where}: {rule}")
        self.template = template
        self.line = line
        self.variable = variable


class Templates:
    """The templates of one installer.

    Args:
        folders: looked in by turn, the site's overrides first, the installer's own last; what all installers share
            stands behind them. Only plain files directly in them are templates; links are not followed.
        clock: monotonic seconds.
        most_s: seconds one rendering may take.
    """

    def __init__(self, folders: Sequence[Path], *, clock: Callable[[], float], most_s: float = 2.0) -> None:
        self._folders = (*folders, COMMON_FOLDER)
        self._sandbox = Sandbox(_Keys(self._folders), clock, most_s)

    def names(self) -> tuple[str, ...]:
        """Keys of all templates."""
        found = {
            path.name for folder in self._folders if folder.is_dir() for path in folder.iterdir() if _is_template(path)
        }
        return tuple(sorted(found))

    def source(self, name: str) -> Path | None:
        """The file that ``name`` stands for, for ``provd explain``; None where there is none."""
        return _find(self._folders, name)

    def render(self, name: str, variables: Mapping[str, object]) -> str:
        """The text of one template.

        Args:
            name: its key, a plain file name; a path is refused.
            variables: plain data by name.

        Raises:
            TemplateError: no such template, syntax, undefined name, forbidden access, or too much work or output.
        """
        self._sandbox.begin()
        try:
            return bounded(self._sandbox.get_template(name), variables)
        except TemplateSyntaxError as error:
            raise TemplateError(error.name or name, error.lineno, str(error.message)) from error
        except TemplateNotFound as error:
            raise self._missing(str(error.name), name) from error
        except (Exception, RecursionError) as error:
            raise self._failed(name, error, variables) from error

    def _missing(self, wanted: str, name: str) -> TemplateError:
        if not _KEY.fullmatch(wanted):
            return TemplateError(name, 0, f"{wanted[:80]!r} is not the name of a template; paths are not accepted")
        hint = did_you_mean(wanted, self.names(), f"; there are {', '.join(self.names()) or 'none'}")
        return TemplateError(wanted, 0, f"there is no such template{hint}")

    def _failed(self, name: str, error: BaseException, variables: Mapping[str, object]) -> TemplateError:
        template, line = name, 0
        for frame in traceback.extract_tb(error.__traceback__):
            for folder in self._folders:
                path = Path(frame.filename)
                if path.parent == folder and _KEY.fullmatch(path.name):
                    template, line = path.name, frame.lineno or 0
        return TemplateError(template, line, *reason(error, variables))


def bounded(template: Template, variables: Mapping[str, object]) -> str:
    """The text of a template, as long as it is not too long.

    Raises:
        TooLargeError: it is.
    """
    parts: list[str] = []
    size = 0
    for part in template.generate(dict(variables)):
        size += len(part)
        if size > MAX_CHARS:
            raise TooLargeError
        parts.append(part)
    return "".join(parts)


def reason(error: BaseException, variables: Mapping[str, object]) -> tuple[str, str]:
    """Why a rendering failed, in words, and the name that is not defined, or empty."""
    rule = str(error) or type(error).__name__
    variable = ""
    if isinstance(error, UndefinedError):
        undefined = _UNDEFINED.match(rule)
        variable = undefined["name"] if undefined else ""
        rule += did_you_mean(variable, variables)
    elif isinstance(error, RecursionError):
        rule = "it includes itself or calls itself without end"
    return rule, variable


class _Keys(BaseLoader):
    """Loads by key from a list of folders; nothing outside them can be named."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        path = _find(self._folders, template)
        if path is None:
            raise TemplateNotFound(template)
        stamp = path.stat().st_mtime_ns
        text = path.read_text(encoding="utf-8")

        def is_current() -> bool:
            found = _find(self._folders, template)
            return found == path and path.stat().st_mtime_ns == stamp

        return text, str(path), is_current


def syntax_fault(text: str) -> str:
    """Why a text is no template that could be rendered, in a sentence; empty where it is one."""
    sandbox = Sandbox(_Keys(()), lambda: 0.0, 1.0)
    try:
        sandbox.from_string(text)
    except TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except (TemplateError, SecurityError, RecursionError, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _find(folders: Sequence[Path], name: str) -> Path | None:
    if not _KEY.fullmatch(name):
        return None
    return next((folder / name for folder in folders if _is_template(folder / name)), None)


def _is_template(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and _KEY.fullmatch(path.name) is not None
