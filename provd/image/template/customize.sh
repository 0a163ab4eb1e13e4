#!/bin/sh
# Finish the root file system of an image. mmdebstrap calls this as a customize hook with the root as its argument.
# In the environment: PROVD_TEMPLATE (the directory of this file), PROVD_ROOT_UUID, PROVD_ESP_ID, PROVD_SOURCES.
set -eu
root=$1

cp -r --no-preserve=ownership,mode "$PROVD_TEMPLATE/files/." "$root/"

printf '%s\n' "$PROVD_SOURCES" > "$root/etc/apt/sources.list"
rm -f "$root"/etc/apt/sources.list.d/*

echo localhost > "$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' > "$root/etc/hosts"
printf 'LANG=C.UTF-8\n' > "$root/etc/default/locale"
cat > "$root/etc/fstab" <<FSTAB
UUID=$PROVD_ROOT_UUID / ext4 errors=remount-ro 0 1
UUID=$PROVD_ESP_ID /boot/efi vfat umask=0077,nofail 0 0
FSTAB
mkdir -p "$root/boot/efi"

# cloud-init writes netplan files; netplan hands them to systemd-networkd.
chroot "$root" systemctl enable -q systemd-networkd.service systemd-resolved.service systemd-timesyncd.service \
    serial-getty@ttyS0.service
# What a freshly installed server has no use for and what costs its first boot time.
chroot "$root" systemctl mask -q systemd-pstore.service e2scrub_reap.service systemd-binfmt.service

# GRUB for BIOS: its modules where grub-install would put them, and a core image that finds the root by its UUID
# whatever number the firmware gives the disk.
grub=$root/boot/grub
mkdir -p "$grub/i386-pc"
cp "$root"/usr/lib/grub/i386-pc/*.mod "$root"/usr/lib/grub/i386-pc/*.lst "$grub/i386-pc/"
printf 'search.fs_uuid %s root\nset prefix=($root)/boot/grub\n' "$PROVD_ROOT_UUID" > "$grub/early.cfg"
chroot "$root" grub-mkimage -O i386-pc -o /boot/grub/i386-pc/core.img -c /boot/grub/early.cfg -p /boot/grub \
    biosdisk part_gpt ext2 search_fs_uuid normal configfile linux serial terminal
cp "$root/usr/lib/grub/i386-pc/boot.img" "$grub/i386-pc/"
rm "$grub/early.cfg"
chroot "$root" grub-editenv /boot/grub/grubenv create
# update-grub writes the next one; this one needs no look at devices that an image does not have.
cat > "$grub/grub.cfg" <<GRUB
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
menuentry 'Debian GNU/Linux' {
    search --no-floppy --fs-uuid --set=root $PROVD_ROOT_UUID
    linux /vmlinuz root=UUID=$PROVD_ROOT_UUID ro console=tty0 console=ttyS0,115200 quiet
    initrd /initrd.img
}
GRUB
# From now on an upgrade of GRUB renews both boot paths (package grub-cloud-amd64).
touch "$root/etc/grub.d/enable_cloud"

# Nothing that two machines must not share.
rm -f "$root"/etc/ssh/ssh_host_* "$root"/var/lib/systemd/random-seed "$root"/var/lib/dbus/machine-id
: > "$root/etc/machine-id"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/*.log "$root"/var/log/apt \
    "$root"/var/cache/debconf/*-old "$root"/var/cache/ldconfig/aux-cache
