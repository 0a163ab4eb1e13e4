"""The catalogue: layers, inheritance, origins, systems; one bad file never stops the others."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.config.catalogue import UnknownProfileError
from provd.config.layers import layers
from provd.config.payloads import missing_payloads, payload_path
from provd.model.system import System
from tests.fakes.catalogue_site import Site, machine, shipped


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return shipped(tmp_path)


def test_a_profile_has_what_its_distro_says(site: Site) -> None:
    catalogue = site.load()
    profile = catalogue.profiles["debian-12"]
    assert catalogue.problems == ()
    assert profile.distro is not None
    assert profile.distro.efi_loaders == ("/EFI/BOOT/BOOTX64.EFI",)
    assert profile.installer == "preseed"
    assert profile.kernel_args == ("quiet", "console=ttyS0")
    assert profile.vars == {"suite": "bookworm"}
    assert profile.boot.answers_bind == "lease"


def test_the_removable_path_is_the_cpus(site: Site) -> None:
    site.write("site/distros/arm", 'arch = "aarch64"\n')
    site.write("site/distros/own", 'arch = "aarch64"\nefi_loaders = ["/EFI/debian/shimaa64.efi"]\n')
    assert site.load().distros["arm"].efi_loaders == ("/EFI/BOOT/BOOTAA64.EFI",)
    assert site.load().distros["own"].efi_loaders == ("/EFI/debian/shimaa64.efi",)


def test_inheritance_of_any_depth_merges_by_the_rules(site: Site) -> None:
    site.write(
        "site/profiles/p0", 'distro = "debian-12"\n[answers]\ndepth = [0]\nall.p0 = 1\ngone = 1\nbind = "subnet"\n'
    )
    for depth in range(1, 40):
        text = f'parent = "p{depth - 1}"\nkernel_args = ["d{depth}"]\n[answers]\ndepth = [{depth}]\nall.p{depth} = 1\n'
        site.write(f"site/profiles/p{depth}", text)
    site.write(
        "site/profiles/leaf",
        'parent = "p39"\nkernel_args = ["!quiet", "!console", "last"]\n[answers]\n"!gone" = true\nall."!p7" = true\n'
        "[boot]\nmax_attempts = 7\n",
    )
    profile = site.load().profiles["leaf"]
    assert profile.parents == tuple(f"p{depth}" for depth in range(39, -1, -1))
    assert profile.kernel_args == (*(f"d{depth}" for depth in range(1, 40)), "last")
    assert profile.answers == {"depth": [39], "all": {f"p{depth}": 1 for depth in range(40) if depth != 7}}
    assert (profile.boot.answers_bind, profile.boot.max_attempts, profile.boot.max_fetches) == ("subnet", 7, 16)


def test_every_value_of_a_system_knows_its_origin(site: Site) -> None:
    site.write("site/profiles/base", '[answers]\ntimezone = "UTC"\nusers.ann.shell = "/bin/sh"\n')
    site.write(
        "site/profiles/web",
        'parent = "base"\ndistro = "debian-12"\nsource = "http://x/"\nkernel_args = ["net"]\n'
        '[answers]\nusers.ann.groups = ["sudo"]\nempty = {}\n[loader.grub_efi]\nhttp = true\n[boot]\nlease_s = 60\n',
    )
    catalogue = site.load()
    assert catalogue.problems == ()
    system = System("one", "web", answers={"timezone": "CET", "bind": "subnet"}, kernel_args=("!quiet", "mine"))
    profile = catalogue.resolve(system)
    origins = {key: str(origin).replace(f"{site.root}/", "") for key, origin in profile.origins.items()}
    assert profile.answers["timezone"] == "CET"
    assert profile.boot.answers_bind == "subnet"
    assert profile.kernel_args == ("console=ttyS0", "net", "mine")
    distro = "distro debian-12 (shipped/distros/debian-12.toml: "
    profile_file = "profile web (site/profiles/web.toml: "
    assert origins == {
        "answers.bind": "system one",
        "answers.empty": f"{profile_file}answers.empty)",
        "answers.timezone": "system one",
        "answers.users.ann.groups": f"{profile_file}answers.users.ann.groups)",
        "answers.users.ann.shell": "profile base (site/profiles/base.toml: answers.users.ann.shell)",
        "boot.lease_s": f"{profile_file}boot.lease_s)",
        **dict.fromkeys(
            ("boot.policy", "boot.max_attempts", "boot.max_fetches", "boot.token_ttl_s", "boot.menu"), "default"
        ),
        "boot_loaders": "default",
        **dict.fromkeys(("repos", "menu", "owners", "distro.owners"), "default"),
        "distro": f"{profile_file}distro)",
        **dict.fromkeys(
            ("distro.arch", "distro.efi_loaders", "distro.image", "distro.tree", "distro.version"), "default"
        ),
        "distro.family": f"{distro}family)",
        "distro.initrd": f"{distro}initrd)",
        "distro.programs": "default",
        "distro.installer": f"{distro}installer)",
        "distro.kernel": f"{distro}kernel)",
        "installer": f"{distro}installer)",
        "kernel_args[0]": f"{distro}kernel_args[1])",
        "kernel_args[1]": f"{profile_file}kernel_args[0])",
        "kernel_args[2]": "system one",
        "loader.grub_efi.http": f"{profile_file}loader.grub_efi.http)",
        "source": f"{profile_file}source)",
        "vars.suite": f"{distro}vars.suite)",
    }


def test_a_systems_overrides_leave_the_profile_as_it_was(site: Site) -> None:
    catalogue = site.load()
    before = repr(catalogue.profiles["debian-12"])
    catalogue.resolve(System("one", "debian-12", vars={"suite": "sid", "new": 1}, answers={"a": {"b": 1}}))
    assert repr(catalogue.profiles["debian-12"]) == before


def test_every_object_knows_its_file(site: Site) -> None:
    web = site.write("site/profiles/web", 'distro = "debian-12"\n')
    one = site.write("site/systems/one", machine(1))
    files = site.load().files
    assert (files["profile web"], files["system one"]) == (web, one)
    assert files["distro debian-12"].endswith("shipped/distros/debian-12.toml")


def test_a_later_layer_wins_by_name(site: Site) -> None:
    site.write("plugin_dirs/profiles/debian-12", 'distro = "debian-12"\nsource = "http://plugin/"\n')
    assert site.load().profiles["debian-12"].source == "http://plugin/"
    site.write("site/profiles/debian-12", 'distro = "debian-12"\nsource = "http://site/"\n')
    assert site.load().profiles["debian-12"].source == "http://site/"


def test_a_broken_file_hides_the_one_below_it_and_is_told(site: Site) -> None:
    site.write("site/profiles/debian-12", 'distros = "debian-12"\n')
    site.write("site/profiles/other", 'distro = "debian-12"\n')
    catalogue = site.load()
    assert set(catalogue.profiles) == {"other"}
    assert site.told() == ["site/profiles/debian-12.toml: distros: unknown key; did you mean 'distro'?"]
    site.write("shipped/profiles/debian-12", "= broken\n")
    site.write("site/profiles/debian-12", 'distro = "debian-12"\n')
    assert set(site.load().profiles) == {"debian-12", "other"}


def test_a_system_whose_profile_is_broken_keeps_its_name_and_says_why(site: Site) -> None:
    site.write("site/profiles/web", 'distro = "none"\n')
    site.write("site/systems/one", machine(1, "web") + 'address = "10.0.0.9"\n')
    catalogue = site.load()
    assert (
        "site/systems/one.toml: profile: no profile that can be installed has the name 'web'; known: debian-12"
        in site.told()
    )
    system = catalogue.systems["one"]
    assert system.interfaces[0].address == IPv4Address("10.0.0.9")
    assert catalogue.profile_for(system) is None
    with pytest.raises(
        UnknownProfileError, match=r"profile 'web' of system one cannot be installed: .*: no distro has"
    ):
        catalogue.resolve(system)


def test_a_system_without_a_profile_has_none(site: Site) -> None:
    catalogue = site.load()
    assert catalogue.profile_for(System("one")) is None
    with pytest.raises(UnknownProfileError, match="system one has no profile"):
        catalogue.resolve(System("one"))
    with pytest.raises(UnknownProfileError, match="profile 'x' of system one cannot be installed: no such profile"):
        catalogue.resolve(System("one", "x"))


def test_a_declared_system_has_its_file_and_a_version_of_its_content(site: Site) -> None:
    path = site.write("site/systems/one", machine(1, hostname='"web"', uuid='"AAAAAAAA-0000-0000-0000-000000000001"'))
    first = site.load().systems["one"]
    assert (first.origin, first.file, first.host) == ("file", path, "web")
    assert first.uuid == "aaaaaaaa-0000-0000-0000-000000000001"
    assert first.interfaces[0].name == "eth0"
    assert site.load().systems["one"] == first
    site.write("site/systems/one", machine(1, hostname='"web2"'))
    assert site.load().systems["one"].version != first.version


def test_systems_are_the_sites_alone(site: Site) -> None:
    site.write("plugin_dirs/systems/one", machine(1))
    assert site.load().systems == {}


def test_the_generation_is_the_content(site: Site) -> None:
    first = site.load().generation
    assert site.load().generation == first
    site.write("site/profiles/web", 'distro = "debian-12"\n')
    assert site.load().generation != first
    (site.root / "site/profiles/web.toml").unlink()
    assert site.load().generation == first


def test_hidden_files_of_editors_are_not_read(site: Site) -> None:
    site.write("site/profiles/.#web", "broken")
    assert site.load().problems == ()


def test_the_catalogue_does_not_change(site: Site) -> None:
    catalogue = site.load()
    with pytest.raises(TypeError):
        catalogue.profiles["x"] = catalogue.profiles["debian-12"]  # type: ignore[index]


def test_missing_boot_files_are_told_by_check(site: Site) -> None:
    data = site.root / "data"
    site.write("site/distros/own", f'kernel = "{site.root}/vmlinuz"\n')
    catalogue = site.load()
    told = [problem.rule for problem in missing_payloads(catalogue.distros.values(), data, {"debian-12"})]
    assert told == [
        f"distro debian-12: {data}/payload/debian-12/linux does not exist; provd fetch debian-12 gets it",
        f"distro debian-12: {data}/payload/debian-12/initrd.gz does not exist; provd fetch debian-12 gets it",
        f"distro own: {site.root}/vmlinuz does not exist",
    ]
    for path in (data / "payload/debian-12/linux", data / "payload/debian-12/initrd.gz", site.root / "vmlinuz"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert missing_payloads(catalogue.distros.values(), data) == ()


def test_c20_a_link_out_of_the_payload_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "payload").mkdir()
    (tmp_path / "payload" / "x").symlink_to("/etc")
    with pytest.raises(ValueError, match="leads out of the payload directory"):
        payload_path("payload:x/passwd", tmp_path)
    for reference in ("payload:a/../../b", "payload:/etc/passwd", "payload:a", "payload:", "etc/passwd"):
        with pytest.raises(ValueError, match=r"does not name a file below|is neither"):
            payload_path(reference, tmp_path)


def test_layers_in_their_order(tmp_path: Path) -> None:
    found = layers(("/opt/a", "/opt/b"), "/etc/provd", tmp_path)
    assert [(layer.name, str(layer.path)) for layer in found] == [
        ("shipped", str(tmp_path)),
        ("plugin_dirs", "/opt/a"),
        ("plugin_dirs", "/opt/b"),
        ("site", "/etc/provd"),
    ]
