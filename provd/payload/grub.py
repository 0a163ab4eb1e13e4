"""A GRUB with the modules that signed builds lack, put together by ``grub-mkimage``."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path

from provd.payload.catalogue import GrubImage
from provd.payload.errors import PayloadError

SERVER_MARK = "set provd_server= # provd writes its address here where no DHCP says it"
"""First line of the early configuration; what serves the image may replace it by one of the same length."""

# Loaded by UEFI HTTP boot, GRUB knows neither its address nor the server: it asks DHCP itself, and takes the server
# from option 54 of that answer, which net_get_dhcp_option gives as eight hex digits; numbers of an address may be hex.
# It cannot know the server's port either, so the two usual ones are tried. Loaded by PXE it has a prefix. Beside
# another DHCP server all of this names that one (GRUB reads no proxy's offer): then provd_server says who is meant.
EARLY_CONFIG = (
    SERVER_MARK
    + r"""
if [ -n "$provd_server" ]; then
  if [ -n "$net_default_mac" ]; then
    configfile "(http,$provd_server)/grub/$net_default_mac/grub.cfg"
  fi
  set net_default_server=
fi
if [ -z "$net_default_server" ]; then
  net_dhcp
  for card in efinet0 efinet1 efinet2 efinet3; do
    eval "provd_mac=\$net_${card}_dhcp_mac"
    if [ -n "$provd_mac" ]; then
      if [ -n "$provd_server" ]; then
        configfile "(http,$provd_server)/grub/$provd_mac/grub.cfg"
      fi
      net_get_dhcp_option provd_hex ${card}:dhcp 54 hex
      if regexp --set=1:a --set=2:b --set=3:c --set=4:d "^(..)(..)(..)(..)" "$provd_hex"; then
        for port in 80 8080; do
          configfile "(http,0x$a.0x$b.0x$c.0x$d:$port)/grub/$provd_mac/grub.cfg"
        done
      fi
    fi
  done
  echo "GRUB got no configuration: DHCP gave no address, or no HTTP server answered on port 80 or 8080."
  sleep 10
  reboot
fi
configfile "(tftp,$net_default_server)PREFIX/grub.cfg"
"""
)


def image_version(packaged: str) -> str:
    """Version of an image: that of the package with its modules, and a digest of what is put into it here."""
    return f"{packaged}+{hashlib.sha256(EARLY_CONFIG.encode()).hexdigest()[:8]}"


def build_image(image: GrubImage, modules: Path, mkimage: Path, target: Path) -> None:
    """Write ``target``.

    Args:
        image: what to build.
        modules: folder with the platform's modules.
        mkimage: the ``grub-mkimage`` to call.
        target: file to write.

    Raises:
        PayloadError: grub-mkimage cannot run here or refuses.
    """
    missing = [name for name in image.modules if not (modules / f"{name}.mod").is_file()]
    if missing:
        raise PayloadError(f"{modules} lacks the GRUB modules {', '.join(missing)}")
    early, memdisk = target.with_suffix(".cfg"), target.with_suffix(".tar")
    # The embedded configuration is read by the rescue parser, which knows no `if`: it only starts the one in memory.
    # The prefix is moved into memory, too: lists of modules would be asked of a server that may have none (127 s).
    early.write_text("set prefix=(memdisk)\nnormal (memdisk)/grub.cfg\n")
    with tarfile.open(memdisk, "w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("grub.cfg")
        config = EARLY_CONFIG.replace("PREFIX", image.prefix).encode()
        member.size = len(config)
        tar.addfile(member, io.BytesIO(config))
    command = [str(mkimage), "-O", image.platform, "-d", str(modules), "-o", str(target)]
    try:
        # The prefix comes last: -m sets one of its own.
        command += ["-c", str(early), "-m", str(memdisk), "-p", image.prefix, *image.modules]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PayloadError(f"grub-mkimage cannot be started ({error}); install grub-common") from error
    early.unlink()
    memdisk.unlink()
    if run.returncode != 0:
        raise PayloadError(f"grub-mkimage could not build {image.file}: {run.stderr.strip() or run.returncode}")
