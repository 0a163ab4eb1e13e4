from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from provd.payload.apt import PrivateApt
from provd.payload.errors import PayloadError
from tests.fakes.fake_packages import script

ARCHIVE = b"archive of pxelinux"
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
DUMP = """cat <<'END'
Acquire::http::Proxy "http://10.0.0.1:3128";
APT::Architecture "amd64";
APT::Update::Post-Invoke "";
APT::Update::Post-Invoke:: "touch /root/x";
DPkg::Post-Invoke:: "reboot";
END
"""
APT_GET = f"""
case "$2 $3" in
    "update ") echo "dlstatus:1:50.0:Retrieving"; echo "dlstatus:1:100:Retrieving"; echo "W: one source is away" ;;
    "download --print-uris")
        echo "Get: something else"
        echo "'http://MIRROR/p.deb' pxelinux_3%3a6.04_all.deb {len(ARCHIVE)} SHA256:{SHA256}" ;;
    "download pxelinux=3:6.04") printf '%s' '{ARCHIVE.decode()}' > pxelinux_3%3a6.04_all.deb ;;
    *) echo "E: Unable to locate package $3"; exit 100 ;;
esac
"""


def private_apt(tmp_path: Path, apt_get: str = APT_GET) -> PrivateApt:
    root = tmp_path / "apt"
    root.mkdir()
    command = script(tmp_path / "apt-get", apt_get)
    return PrivateApt(root, apt_get=command, apt_config=script(tmp_path / "apt-config", DUMP))


def test_from_index_to_checked_archive(tmp_path: Path) -> None:
    apt = private_apt(tmp_path)
    shares: list[float] = []
    apt.update(shares.append)
    assert shares == [0.5, 1.0]
    (deb,) = apt.resolve(["pxelinux"])
    assert (deb.package, deb.version, deb.size, deb.sha256) == ("pxelinux", "3:6.04", len(ARCHIVE), SHA256)
    assert apt.download([deb], shares.append)["pxelinux"].read_bytes() == ARCHIVE


def test_proxies_of_the_machine_are_kept_and_its_hooks_are_not(tmp_path: Path) -> None:
    private_apt(tmp_path).update(lambda _share: None)
    config = (tmp_path / "apt/apt.conf").read_text()
    assert 'Acquire::http::Proxy "http://10.0.0.1:3128";' in config
    assert "Post-Invoke" not in config
    assert 'Acquire::AllowInsecureRepositories "false";' in config
    assert f'Dir::State "{tmp_path}/apt/state";' in config


def test_another_architecture_is_added_to_the_machines_own(tmp_path: Path) -> None:
    apt = private_apt(tmp_path, APT_GET.replace("_all.deb", "_arm64.deb").replace("pxelinux=", "pxelinux:arm64="))
    apt.update(lambda _share: None, {"arm64"})
    config = (tmp_path / "apt/apt.conf").read_text()
    assert 'APT::Architecture "amd64";' in config
    assert 'APT::Architectures:: "arm64";' in config
    (deb,) = apt.resolve(["pxelinux:arm64"])
    assert (deb.package, deb.version) == ("pxelinux:arm64", "3:6.04")
    assert apt.download([deb], lambda _share: None)["pxelinux:arm64"].read_bytes() == ARCHIVE


def test_other_bytes_than_the_index_names_are_refused(tmp_path: Path) -> None:
    apt = private_apt(tmp_path, APT_GET.replace(ARCHIVE.decode(), "archive of something"))
    apt.update(lambda _share: None)
    (deb,) = apt.resolve(["pxelinux"])
    with pytest.raises(PayloadError, match=rf"package pxelinux 3:6.04 has SHA-256 .*, the signed index says {SHA256}"):
        apt.download([deb], lambda _share: None)


def test_a_package_that_is_not_offered(tmp_path: Path) -> None:
    apt = private_apt(tmp_path, APT_GET.replace('"download --print-uris"', '"never"'))
    apt.update(lambda _share: None)
    with pytest.raises(PayloadError, match="apt does not offer what is needed: Unable to locate package --print-uris"):
        apt.resolve(["nothing"])


def test_a_package_of_a_source_that_was_not_reached_is_told_with_it(tmp_path: Path) -> None:
    warning = "Failed to fetch http://deb.example/InRelease  Temporary failure resolving 'deb.example'"
    apt = private_apt(
        tmp_path,
        APT_GET.replace("W: one source is away", f"W: {warning}").replace('"download --print-uris"', '"never"'),
    )
    apt.update(lambda _share: None)
    with pytest.raises(PayloadError) as caught:
        apt.resolve(["nothing"])
    assert str(caught.value) == (
        "apt does not offer what is needed: Unable to locate package --print-uris; "
        "a source of packages could not be read: "
        "Failed to fetch http://deb.example/InRelease Temporary failure resolving 'deb.example'"
    )


def test_a_package_without_sha256_is_refused(tmp_path: Path) -> None:
    apt = private_apt(tmp_path, APT_GET.replace("SHA256:", "MD5Sum:"))
    apt.update(lambda _share: None)
    with pytest.raises(PayloadError, match="package pxelinux has no SHA-256"):
        apt.resolve(["pxelinux"])


def test_a_machine_without_apt(tmp_path: Path) -> None:
    (tmp_path / "apt").mkdir()
    apt = PrivateApt(tmp_path / "apt", apt_config=str(tmp_path / "no-apt-config"))
    with pytest.raises(PayloadError, match="apt is not usable on this machine"):
        apt.update(lambda _share: None)
