"""The compiled DHCP path: it fits its sources or is not used, and it passes what the sources pass."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from provd import compiled
from provd.compiled import COMPLETE, MODULES, SWITCH, folder
from provd.lab import compile as compiling
from tests.core.test_bindings_are_lean import told

ROOT = Path(__file__).resolve().parents[2]
INSIDE = """\
import sys
from pathlib import Path
from provd import compiled
{before}
used = compiled.use_compiled()
import provd.service.dhcp_shortcut
print(used, compiled.is_compiled(), compiled.MODULES[0] in sys.modules)
"""


def tell(before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """What a fresh process says of its modules."""
    argv = [sys.executable, "-c", INSIDE.format(before=before)]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True, env={**os.environ, **environment})


def test_every_module_is_there_and_stands_below_what_it_is_compiled_from() -> None:
    for name in MODULES:
        assert (ROOT / f"{name.replace('.', '/')}.py").is_file()


def test_a_changed_source_has_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("wire", "model", "core", "service"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "one.py").write_text("A = 1\n")
    monkeypatch.setattr(compiled, "_PACKAGE", tmp_path)
    before = folder()
    assert before == folder()
    (tmp_path / "wire" / "one.py").write_text("A = 2\n")
    assert before != folder()
    (tmp_path / "wire" / "one.py").write_text("A = 1\n")
    assert before == folder()
    (tmp_path / "core" / "two.py").touch()
    assert before != folder()


def test_the_sources_run_where_nothing_is_compiled_or_it_is_switched_off(tmp_path: Path) -> None:
    elsewhere = f"compiled.folder = lambda: Path({str(tmp_path)!r})"
    assert tell(elsewhere).stdout.split() == ["False", "False", "True"]
    assert tell(**{SWITCH: "0"}).stdout.split() == ["False", "False", "True"]
    assert tell("import provd.core.dhcp_layout").stdout.split() == ["False", "False", "True"]


@pytest.mark.parametrize(
    ("ending", "octets"),
    [(sysconfig.get_config_var("EXT_SUFFIX"), b"no module"), (".py", b"raise KeyError('object')")],
    ids=["no module", "one that ends in an error"],
)
def test_modules_that_cannot_be_loaded_are_told_of_and_the_sources_run(
    tmp_path: Path, ending: str, octets: bytes
) -> None:
    place = tmp_path / "provd" / "core"
    place.mkdir(parents=True)
    (tmp_path / COMPLETE).touch()
    (place / f"dhcp_layout{ending}").write_bytes(octets)
    told = tell(f"compiled.folder = lambda: Path({str(tmp_path)!r})")
    assert told.stdout.split() == ["False", "False", "True"]
    assert f"the compiled modules in {tmp_path} cannot be used" in told.stderr
    assert told.stderr.count("\n") == 1


def test_what_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CC", str(tmp_path / "cc"))
    monkeypatch.setattr(compiling, "folder", lambda: tmp_path / "none")
    assert compiling.missing() == "there is no C compiler: apt-get install gcc"
    assert compiling.main([]) == 1
    assert compiling.main(["--if-possible"]) == 0


@pytest.mark.build
@pytest.mark.timeout(600)
def test_compiled_modules_pass_the_tests_of_the_sources() -> None:
    if problem := compiling.missing():
        pytest.skip(problem)
    place = compiling.compile_modules()
    assert len(list(place.glob("provd/*/*.so"))) == len(MODULES)
    assert tell().stdout.split() == ["True", "True", "True"]
    script = (
        "import sys\nfrom provd.compiled import is_compiled, use_compiled\nassert use_compiled()\nimport pytest\n"
        "code = pytest.main(['-q', '-p', 'no:cacheprovider', '-k', 'dhcp', 'tests/core', 'tests/service', 'tests/net'])\n"
        "assert is_compiled()\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.build
@pytest.mark.timeout(600)
def test_compiled_bindings_are_no_larger() -> None:
    """mypyc leaves out the words of a class statement: ``frozen`` and ``gc`` of a compiled struct had no effect."""
    compiling.compile_modules()
    assert told("compiled") == told("sources")
