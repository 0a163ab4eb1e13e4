"""One changed file: the catalogue that is made from the last one is the one that a whole reading would make."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provd.config import catalogue as module
from provd.config import sources
from provd.config.catalogue import Catalogue
from provd.config.profiles import Resolver
from provd.config.sources import read_entry
from tests.fakes.catalogue_site import machine, shipped

NAMES = ("debian-12", "base", "web", "db")
PROFILES = st.builds(
    lambda parent, distro, extra: f"{parent}{distro}{extra}",
    st.sampled_from(["", *(f'parent = "{name}"\n' for name in NAMES)]),
    st.sampled_from(["", 'distro = "debian-12"\n', 'distro = "own"\n', 'distro = "none"\n']),
    st.sampled_from(["", "[vars]\nx = 1\n", "[vars]\nx = 2\n", "wrong = 1\n", "= broken"]),
)
DISTROS = st.sampled_from(['family = "debian"\n', 'family = "x"\nkernel_args = ["a"]\n', "= broken"])
SYSTEMS = st.builds(machine, st.integers(1, 3), st.sampled_from(NAMES))
CHANGES = st.one_of(
    st.tuples(st.just("profiles"), st.sampled_from(NAMES), st.none() | PROFILES),
    st.tuples(st.just("distros"), st.sampled_from(("debian-12", "own")), st.none() | DISTROS),
    st.tuples(st.just("systems"), st.sampled_from(("one", "two")), st.none() | SYSTEMS),
)


def facts(catalogue: Catalogue) -> object:
    named = (dict(catalogue.distros), dict(catalogue.profiles), dict(catalogue.systems), dict(catalogue.files))
    return named, sorted(map(str, catalogue.problems)), catalogue.generation


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_a_revised_catalogue_is_the_one_that_a_whole_reading_makes(changes: list[tuple[str, str, str | None]]) -> None:
    with TemporaryDirectory() as folder:
        site = shipped(Path(folder))
        revised = reread = site.load()
        for kind, name, text in changes:
            revised = revised.revised({(kind, name): None if text is None else text.encode()})
            if text is not None:
                site.write(f"site/{kind}/{name}", text)
            else:
                (site.root / f"site/{kind}/{name}.toml").unlink(missing_ok=True)
            reread = Catalogue.load(site.layers, reread)
            assert facts(revised) == facts(site.load())
            assert facts(reread) == facts(revised)


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the profiles that are resolved from now on."""
    names: list[str] = []

    class Counting(Resolver):
        def resolve(self, name: str):  # type: ignore[no-untyped-def]
            names.append(name)
            return super().resolve(name)

    monkeypatch.setattr(module, "Resolver", Counting)
    return names


def test_only_descendants_are_resolved_anew(tmp_path: Path, resolved: list[str]) -> None:
    site = shipped(tmp_path)
    for name, parent in (("web", "debian-12"), ("web-1", "web"), ("db", "debian-12"), ("other", "debian-12")):
        site.write(f"site/profiles/{name}", f'parent = "{parent}"\n')
    before = site.load()
    resolved.clear()
    after = before.revised({("profiles", "web"): b'parent = "debian-12"\n[vars]\nx = 1\n'})
    assert sorted(resolved) == ["web", "web-1"]
    assert after.profiles["web-1"].vars["x"] == 1
    assert after.profiles["db"] is before.profiles["db"]


def test_files_that_were_not_written_to_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = shipped(tmp_path)
    site.write("site/profiles/web", 'parent = "debian-12"\n')
    before = site.load()
    read: list[Path] = []

    def counting(path: Path, kind: str, layer: int) -> sources.Entry:
        read.append(path)
        return read_entry(path, kind, layer)

    monkeypatch.setattr(sources, "read_entry", counting)
    path = site.write("site/profiles/web", 'parent = "debian-12"\n[vars]\nx = 1\n')
    after = Catalogue.load(site.layers, before)
    assert [str(one) for one in read] == [path]
    assert after.profiles["web"].vars["x"] == 1
