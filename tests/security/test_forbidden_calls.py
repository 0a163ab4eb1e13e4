"""What the code must never do, read from its syntax (security rows C09, C10 and C22)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provd.config import toml

ROOT = Path(__file__).parents[2]
FOLDERS = ("provd", "plugins")
#: Readers that build objects or run code from what they read, and parsers that expand entities.
UNSAFE_READERS = {"yaml", "pickle", "marshal", "shelve", "dill", "xml", "lxml", "xmlrpc"}
#: Modules and functions that ask a name server.
NAMES_MODULES = {"twisted.names", "dns", "aiodns"}
NAMES_CALLS = {"getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo", "getfqdn"}
SHELL_CALLS = {("os", "system"), ("os", "popen"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")}


def modules() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def nodes(source: str) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(source))


def imported(source: str) -> set[str]:
    """Dotted names of imported modules, and of what is imported from them."""
    found: set[str] = set()
    for node in nodes(source):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def called(source: str) -> set[tuple[str, str]]:
    """Called functions as (object, attribute); a plain name has an empty object."""
    found: set[tuple[str, str]] = set()
    for node in nodes(source):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(("", node.func.id))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else "?"
            found.add((owner, node.func.attr))
    return found


def shells(source: str) -> list[str]:
    """Calls that start a shell."""
    found = [f"{owner}.{name}" for owner, name in called(source) & SHELL_CALLS]
    for node in nodes(source):
        if isinstance(node, ast.Call):
            shell = [word.value for word in node.keywords if word.arg == "shell"]
            found += [
                ast.unparse(value) for value in shell if not (isinstance(value, ast.Constant) and not value.value)
            ]
    return found


def unsafe(source: str) -> list[str]:
    """Unsafe readers, evaluation of text, and templates without a sandbox."""
    tops = {name.split(".")[0] for name in imported(source)}
    found = sorted(tops & UNSAFE_READERS)
    found += sorted(name for owner, name in called(source) if not owner and name in {"eval", "exec", "compile"})
    return found + sorted(
        name for owner, name in called(source) if name in {"Environment", "NativeEnvironment", "Markup"}
    )


def name_lookups(source: str) -> list[str]:
    """Whoever asks a name server."""
    known = [
        name for name in imported(source) if any(name == one or name.startswith(f"{one}.") for one in NAMES_MODULES)
    ]
    return known + [name for _owner, name in called(source) if name in NAMES_CALLS]


@pytest.mark.parametrize(
    ("judge", "source"),
    [
        (shells, "subprocess.run('x', shell=True)"),
        (shells, "subprocess.run('x', shell=wanted)"),
        (shells, "os.system('x')"),
        (unsafe, "import yaml"),
        (unsafe, "from pickle import loads"),
        (unsafe, "eval('1')"),
        (unsafe, "jinja2.Environment()"),
        (name_lookups, "from twisted.names import client"),
        (name_lookups, "from twisted import names"),
        (name_lookups, "socket.getaddrinfo('x', 1)"),
    ],
)
def test_the_judges_see_what_they_look_for(judge: Callable[[str], list[str]], source: str) -> None:
    assert judge(source)


def test_c09_nothing_starts_a_shell() -> None:
    assert len(modules()) > 100
    assert {str(path): found for path in modules() if (found := shells(path.read_text()))} == {}


def test_c09_the_linter_watches_shells_too() -> None:
    rules = toml.read(ROOT / "pyproject.toml")["tool"]["ruff"]["lint"]
    assert "S" in rules["select"]
    assert not {"S602", "S604", "S605"} & set(rules["ignore"])


def test_c10_texts_are_read_by_safe_readers_and_rendered_in_the_sandbox() -> None:
    found = {str(path.relative_to(ROOT)): found for path in modules() if (found := unsafe(path.read_text()))}
    # A plugin is code of the operator's; it is compiled from the octets whose hash is shown.
    # XML-RPC is read by a parser that refuses every document type, and with it every entity (test_C27_...); so are
    # indexes of rpm packages (test_what_cannot_be_read_is_told). Control files of AutoYaST are written as elements, and
    # judged where they have no entity (test_a_control_file_with_entities_is_not_read).
    autoyast = {f"plugins/installer_autoyast/{name}.py": ["xml"] for name in ("elements", "judge")}
    xml = {"provd/api/cobbler/wire.py": ["xml", "xmlrpc"], "plugins/source_mirror/rpm_metadata.py": ["xml"]}
    assert found == {"provd/plugin/loading.py": ["compile", "exec"], **xml, **autoyast}


def test_c10_nothing_makes_html() -> None:
    """Without HTML there is nothing to escape, no script to inline and no policy to send."""
    page = re.compile(r"text/html|<html|<script", re.IGNORECASE)
    assert [str(path) for path in modules() if page.search(path.read_text())] == []


def test_c22_nobody_asks_a_name_server_on_the_way_of_a_packet() -> None:
    packet = ("provd/wire", "provd/model", "provd/core", "provd/service", "provd/net", "provd/store", "provd/plugin")
    paths = [path for path in modules() if str(path.relative_to(ROOT)).startswith((*packet, "plugins"))]
    assert len(paths) > 100
    assert {str(path): found for path in paths if (found := name_lookups(path.read_text()))} == {}
