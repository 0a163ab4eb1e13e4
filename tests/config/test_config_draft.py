"""Changes to distros and profiles: what is written, what is refused, and that nothing is written before the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.draft import Draft
from provd.config.template_draft import DraftError
from tests.fakes.catalogue_site import Site, shipped


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = shipped(tmp_path)
    made.write("site/profiles/base", '# Common.\n[answers]\ntimezone = "UTC"  # everywhere\n')
    made.write("site/profiles/web", 'parent = "base"\ndistro = "debian-12"\nkernel_args = ["quiet"]\n')
    made.write("site/profiles/web-1", 'parent = "web"\n')
    return made


def text(site: Site, name: str, kind: str = "profiles") -> str:
    return (site.root / "site" / kind / f"{name}.toml").read_text()


def test_nothing_is_written_before_the_end_and_then_everything(site: Site) -> None:
    draft = Draft(site.load())
    draft.add("profile", "db", {"parent": "web", "answers": {"packages": ["postgresql"]}})
    draft.edit("profile", "base", {"answers": {"timezone": "CET"}})
    assert not (site.root / "site/profiles/db.toml").exists()
    assert draft.catalogue.profiles["db"].answers == {"timezone": "CET", "packages": ["postgresql"]}
    draft.commit()
    assert text(site, "base") == '# Common.\n[answers]\ntimezone = "CET"  # everywhere\n'
    assert site.load().generation == draft.catalogue.generation


def test_an_edit_names_what_changes_and_None_inherits_again(site: Site) -> None:
    draft = Draft(site.load())
    draft.edit("profile", "web", {"kernel_args": None, "source": "http://x/"})
    assert draft.own("profile", "web") == {"parent": "base", "distro": "debian-12", "source": "http://x/"}


def test_a_merging_edit_changes_single_keys_of_tables(site: Site) -> None:
    draft = Draft(site.load())
    draft.edit("profile", "base", {"answers": {"users": [], "ntp": "x"}}, merge=True)
    draft.edit("profile", "base", {"answers": {"ntp": None, "!users": True}}, merge=True)
    assert draft.own("profile", "base")["answers"] == {"timezone": "UTC", "users": [], "!users": True}
    draft.edit("profile", "base", {"answers": {"users": ["x"]}}, merge=True)
    assert draft.own("profile", "base")["answers"] == {"timezone": "UTC", "users": ["x"]}


def test_an_edit_of_a_shipped_object_is_a_copy_in_the_site(site: Site) -> None:
    draft = Draft(site.load())
    draft.edit("distro", "debian-12", {"version": "12.5"})
    draft.commit()
    assert 'version = "12.5"' in text(site, "debian-12", "distros")
    assert site.load().distros["debian-12"].family == "debian"
    assert "12.5" not in (site.root / "shipped/distros/debian-12.toml").read_text()


def test_removing_that_copy_brings_the_shipped_one_back(site: Site) -> None:
    draft = Draft(site.load())
    draft.edit("distro", "debian-12", {"version": "12.5"})
    assert draft.remove("distro", "debian-12") == ()
    assert draft.catalogue.distros["debian-12"].version == ""


def test_a_stale_edit_is_refused(site: Site) -> None:
    draft = Draft(site.load())
    revision = draft.catalogue.revision("profile", "web")
    draft.edit("profile", "web", {"source": "http://x/"}, expected=revision)
    for stale in (
        lambda: draft.edit("profile", "web", {"source": "http://y/"}, expected=revision),
        lambda: draft.rename("profile", "web", "www", expected=revision),
        lambda: draft.remove("profile", "web", recursive=True, expected=revision),
    ):
        with pytest.raises(DraftError, match=r"profile web was changed meanwhile \(revision \w+, not \w+\)") as error:
            stale()
        assert error.value.field == "revision"


def test_a_copy_has_the_comments_too(site: Site) -> None:
    draft = Draft(site.load())
    draft.copy("profile", "base", "base-2", {"vars": {"x": 1}})
    draft.commit()
    assert text(site, "base-2").startswith('# Common.\n[answers]\ntimezone = "UTC"  # everywhere\n')
    assert draft.own("profile", "base-2")["vars"] == {"x": 1}


def test_a_rename_tells_those_that_refer_to_it(site: Site) -> None:
    draft = Draft(site.load())
    draft.rename("profile", "base", "common")
    draft.rename("profile", "common", "ground")
    draft.commit()
    assert {path.stem for path in (site.root / "site/profiles").iterdir()} == {"ground", "web", "web-1"}
    assert site.load().profiles["web-1"].parents == ("web", "ground")
    assert draft.renamed == {"base": "ground"}


def test_an_object_that_is_used_is_not_removed_but_with_all_that_use_it(site: Site) -> None:
    draft = Draft(site.load())
    with pytest.raises(DraftError, match="profile base is used by profiles web, web-1; a recursive removal"):
        draft.remove("profile", "base")
    assert draft.remove("profile", "base", recursive=True) == ("base", "web", "web-1")
    draft.commit()
    assert list((site.root / "site/profiles").iterdir()) == []


def test_what_is_not_the_sites_stays(site: Site) -> None:
    draft = Draft(site.load())
    with pytest.raises(DraftError, match=r"comes from the layer 'shipped' \(.*\) and cannot be removed"):
        draft.remove("profile", "debian-12")
    with pytest.raises(DraftError, match="cannot be renamed: copy it"):
        draft.rename("distro", "debian-12", "debian")
    site.write("site/distros/own", "")
    site.write("plugin_dirs/profiles/theirs", 'distro = "own"\n')
    draft = Draft(site.load())
    with pytest.raises(DraftError, match="profile theirs uses it, which is not the site's"):
        draft.remove("distro", "own", recursive=True)
    with pytest.raises(DraftError, match="profile theirs names it, which is not the site's"):
        draft.rename("distro", "own", "mine")


@pytest.mark.parametrize(
    ("name", "table", "sentence", "field"),
    [
        ("web", {}, "profile web exists already", "name"),
        ("../x", {}, "'../x' is not a name", "name"),
        ("new", {"parent": "none"}, "no profile has the name 'none'", "parent"),
        ("new", {"distros": "debian-12"}, "distros: unknown key; did you mean 'distro'?", "distros"),
        ("new", {"kernel_args": "quiet"}, "kernel_args: ", "kernel_args"),
        ("new", {"answers": {"x": None}}, "cannot be written as TOML", ""),
        ("new", {"parent": "new"}, "profiles inherit in a circle", "parent"),
    ],
)
def test_what_would_be_wrong_is_refused_and_leaves_the_draft_as_it_was(
    site: Site, name: str, table: dict[str, object], sentence: str, field: str
) -> None:
    draft = Draft(site.load())
    with pytest.raises(DraftError, match=sentence.replace("?", r"\?")) as error:
        draft.add("profile", name, table)
    assert error.value.field == field
    assert draft.changes == {}


def test_unknown_and_broken_objects(site: Site) -> None:
    site.write("site/profiles/bad", "= 1")
    draft = Draft(site.load())
    with pytest.raises(DraftError, match="there is no profile 'none'") as error:
        draft.edit("profile", "none", {"source": ""})
    assert error.value.missing
    with pytest.raises(
        DraftError, match=r"profile bad has an error that must be mended in its file first: .*bad\.toml"
    ):
        draft.edit("profile", "bad", {"source": ""})


def test_a_problem_that_was_there_before_does_not_stop_a_change(site: Site) -> None:
    site.write("site/profiles/bad", 'distro = "none"\n')
    draft = Draft(site.load())
    draft.edit("profile", "web", {"source": "http://x/"})
    assert draft.catalogue.profiles["web"].source == "http://x/"
