# The NoCloud seed: a small FAT partition labelled CIDATA. It lies at the very end of the disk, so that the root
# partition, last in the image, can grow up to it at first boot. The files are put on it here, not by the server: the
# server would need the disk's size to place a ready file system, and mkfs.fat with mount is small.

SEED_SECTORS=8192

write_seed() {
    mkdir -p /run/seed
    fetch "$SEED_URL_META" /run/seed/meta-data || die "meta-data was not served: $HTTP_ERROR"
    # cloud-init takes a seed for one only if both files are there.
    : > /run/seed/user-data
    [ -z "$SEED_URL_USER" ] || fetch "$SEED_URL_USER" /run/seed/user-data || die "user-data was not served: $HTTP_ERROR"
    [ -z "$SEED_URL_NETWORK" ] || fetch "$SEED_URL_NETWORK" /run/seed/network-config ||
        die "network-config was not served: $HTTP_ERROR"
    add_partition
    mkfs.fat -n CIDATA "$PARTITION" > /run/tool.out 2>&1 || die "$PARTITION could not be formatted: $(tail -n 1 /run/tool.out)"
    mount -t vfat "$PARTITION" /mnt || die "$PARTITION could not be mounted"
    cp /run/seed/* /mnt/ || die "the seed does not fit its partition of $((SEED_SECTORS / 2)) KiB"
    umount /mnt
    say "seed for the first boot written to $PARTITION"
}

# add_partition: sets PARTITION
add_partition() {
    sectors=$(cat "/sys/block/${DISK#/dev/}/size")
    label=$(sfdisk --dump "$DISK" 2>/dev/null | sed -n 's/^label: //p')
    case $label in
        gpt)
            # The image's backup table lies at the image's end, the disk's end is where it belongs.
            sfdisk -q --relocate gpt-bak-std "$DISK" > /run/tool.out 2>&1 ||
                die "the backup partition table could not be moved: $(tail -n 1 /run/tool.out)"
            kind=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 ;;
        dos) kind=c ;;
        *) die "the image has no partition table that the seed partition could be added to" ;;
    esac
    # 34 sectors for the backup table, and a multiple of 1 MiB
    start=$(((sectors - 34 - SEED_SECTORS) / 2048 * 2048))
    sfdisk --dump "$DISK" | sed -n 's/ *:.*start=.*//p' | sort > /run/before
    echo "start=$start, size=$SEED_SECTORS, type=$kind" |
        sfdisk -q --append "$DISK" > /run/tool.out 2>&1 ||
        die "the seed partition could not be added: $(tail -n 1 /run/tool.out)"
    sfdisk --dump "$DISK" | sed -n 's/ *:.*start=.*//p' | sort > /run/after
    PARTITION=$(grep -v -x -F -f /run/before /run/after | head -n 1)
    [ -n "$PARTITION" ] || die "the seed partition is not in the partition table"
    waited=0
    while [ ! -b "$PARTITION" ]; do
        [ $waited -ge 10 ] && die "$PARTITION did not appear"
        blockdev --rereadpt "$DISK" 2>/dev/null
        sleep 1
        waited=$((waited + 1))
    done
}
