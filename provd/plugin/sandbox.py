"""The Jinja environment of answer files: plain data in, text out, nothing else reachable.

Templates belong to installers and sites; the values may come from anybody who may name a machine. Values are never
compiled as templates. On top of Jinja's immutable sandbox only fields of plain values can be read, only listed methods,
filters and functions exist, and loops and sizes are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.loaders import BaseLoader
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from provd.plugin.allowed import FILTER_NAMES, TEST_NAMES, may_call, names_in, readable
from provd.plugin.filters import FILTERS, MAX_CHARS, TooLargeError, checked_join
from provd.plugin.near import did_you_mean

MAX_STEPS = 100_000


class StepsError(Exception):
    """A template that loops for too long."""


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for one renderer; ``begin`` is called before each rendering.

    Args:
        loader: resolves template names; they are keys, never paths.
        clock: monotonic seconds.
        most_s: seconds one rendering may take.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, loader: BaseLoader, clock: Callable[[], float], most_s: float) -> None:
        super().__init__(
            loader=loader,
            undefined=StrictUndefined,
            # answer files are not HTML; filters quote for shell, TOML, JSON and YAML
            autoescape=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=True,
        )
        self._clock = clock
        self._most_s = most_s
        self._deadline = 0.0
        self._steps = 0
        self.filters = {**{name: self.filters[name] for name in FILTER_NAMES}, **FILTERS}
        self.tests = {name: self.tests[name] for name in TEST_NAMES}
        self.globals = {"range": self.globals["range"], "dict": dict, "namespace": Namespace}
        self._functions = frozenset(map(id, self.globals.values()))

    def begin(self) -> None:
        """Start the clock and the step counter of one rendering."""
        self._deadline = self._clock() + self._most_s
        self._steps = 0

    def step(self) -> str:
        """Called by every pass of every loop and by every macro; raises :class:`StepsError` when it is enough."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise StepsError(f"it makes more than {MAX_STEPS} steps")
        if self._clock() > self._deadline:
            raise StepsError(f"it takes longer than {self._most_s:g} s")
        return ""

    def joined(self, *parts: object) -> str:
        """The ``~`` operator with a bounded result."""
        return checked_join("", parts)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a mapping, a field of a plain value or a listed method; anything else is undefined or refused."""
        if isinstance(obj, StrictUndefined):
            # raises its own error, which names what is missing
            str(obj)
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if readable(obj, attribute):
            value = getattr(obj, attribute)
            if not callable(value) or isinstance(value, Macro) or may_call(obj, attribute):
                return value
        if attribute.startswith("_") or hasattr(type(obj), attribute):
            raise SecurityError(f"{attribute!r} of {type(obj).__name__} is not available to templates")
        return self._absent(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item of a mapping or a sequence; text that is no key is read like an attribute."""
        if isinstance(obj, Mapping | str | list | tuple | range):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                if isinstance(obj, Mapping) and not isinstance(argument, str):
                    return self._absent(obj, argument)
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return self._absent(obj, argument)

    def _absent(self, obj: object, name: object) -> Any:
        hint = did_you_mean(str(name), names_in(obj))
        what = "the table" if isinstance(obj, Mapping) else type(obj).__name__
        return self.undefined(hint=f"{what} has no {str(name)[:80]!r}{hint}", obj=obj, name=str(name))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002  Jinja's signature
        """Jinja's own question, answered by the same rule."""
        return readable(obj, attr)

    def is_safe_callable(self, obj: Any) -> bool:
        """Macros, the listed functions, and methods that ``getattr`` let through."""
        if isinstance(obj, Macro | LoopContext) or id(obj) in self._functions:
            return True
        owner = getattr(obj, "__self__", None)
        return owner is self or (owner is not None and may_call(owner, getattr(obj, "__name__", "")))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic that could make something huge is measured before it is done."""
        if operator == "%" and not isinstance(left, int | float):
            raise SecurityError("the % operator works on numbers; use ~ to join texts")
        if operator == "**" and not (isinstance(left, int | float) and isinstance(right, int | float) and right <= 64):
            raise SecurityError("the ** operator works on numbers with an exponent of at most 64")
        if operator == "*" and not (isinstance(left, int | float) and isinstance(right, int | float)):
            size, times = (len(left), right) if hasattr(left, "__len__") else (len(right), left)
            if size * times > MAX_CHARS:
                raise TooLargeError
        if operator == "+" and hasattr(left, "__len__") and len(left) + len(right) > MAX_CHARS:
            raise TooLargeError
        if isinstance(left, int) and left.bit_length() > 4096:
            raise TooLargeError
        return super().call_binop(context, operator, left, right)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _Bounded().visit(tree)
        tree.set_environment(self)
        return tree


class _Bounded(NodeTransformer):
    """Counts loop passes and macro calls, and bounds ``~``."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  Jinja's naming
        return self._counted(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._counted(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _call("joined", node.nodes, node.lineno)

    def _counted(self, node: nodes.For | nodes.Macro) -> nodes.Node:
        self.generic_visit(node)
        node.body = [nodes.ExprStmt(_call("step", [], node.lineno), lineno=node.lineno), *node.body]
        return node


def _call(method: str, arguments: list[nodes.Expr], lineno: int) -> nodes.Call:
    function = nodes.EnvironmentAttribute(method, lineno=lineno)
    return nodes.Call(function, arguments, [], None, None, lineno=lineno)
