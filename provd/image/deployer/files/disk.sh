# Which disk is written.
#
# Candidates are fixed disks: not removable, not read-only, not on USB, no optical, RAM, loop or flash boot area, and
# large enough. Their order is that of their place in the machine (the sysfs path: PCI address, port), which stays the
# same from boot to boot while names such as sda do not. TARGET_DISK holds conditions separated by blanks, all of which
# must be true; the first candidate is taken:
#   /dev/NAME or name=NAME   kernel name; may be a pattern (nvme*)
#   serial=TEXT              serial number as the disk tells it
#   wwn=TEXT                 world wide name as in /sys/block/NAME/wwid
#   path=PATTERN             sysfs path, as in path=*0000:00:1f.2*
#   size>=N  size<=N         octets, or with K, M, G, T (powers of 1000)
# A name, serial, wwn or path also admits USB disks.

# Octets the seed partition and the backup partition table need behind the image.
TAIL_BYTES=$((6 * 1048576))

choose_disk() {
    needed=$((RAW_SIZE + TAIL_BYTES))
    wait_for_disks
    largest=0
    DISK=
    # Few disks, so sorting once by path is cheap.
    for name in $(all_disks | sort | sed 's/.* //'); do
        size=$(disk_size "$name")
        matches "$name" "$size" || continue
        [ "$size" -gt "$largest" ] && largest=$size
        [ "$size" -ge "$needed" ] || continue
        DISK=/dev/$name
        break
    done
    if [ -z "$DISK" ]; then
        if [ "$largest" -gt 0 ]; then
            die "disk too small: the image needs $needed octets, the largest candidate has $largest"
        fi
        [ -n "$TARGET_DISK" ] && die "no disk matches '$TARGET_DISK'; there are: $(describe_disks)"
        die "no fixed disk found; there are: $(describe_disks)"
    fi
    block=$(cat "/sys/block/$name/queue/logical_block_size")
    [ "$block" = 512 ] || die "$DISK has sectors of $block octets, the image's partition table is for 512"
    say "writing to $DISK: $((size / 1000000)) MB, $(disk_model "$name")"
}

wait_for_disks() {
    waited=0
    # Hardware RAID and spinning disks need seconds to appear.
    while [ -z "$(all_disks)" ] && [ $waited -lt 30 ]; do
        [ $waited -eq 3 ] && say "waiting for disks"
        sleep 1
        waited=$((waited + 1))
        modprobe -a -q sd_mod
    done
}

# "PATH NAME" of every block device that could be a disk
all_disks() {
    for path in /sys/block/*; do
        name=${path##*/}
        case $name in
            '*' | ram* | loop* | sr* | fd* | zram* | dm-* | md* | nbd* | *boot[0-9] | *rpmb) continue ;;
        esac
        # A path to an NVMe disk that has several; the disk itself is another device.
        [ "$(cat "$path/hidden" 2>/dev/null)" = 1 ] && continue
        [ "$(cat "$path/ro")" = 0 ] && [ "$(cat "$path/size")" -gt 0 ] && echo "$(readlink -f "$path") $name"
    done
}

disk_size() { echo $(($(cat "/sys/block/$1/size") * 512)); }

disk_model() {
    text="$(cat "/sys/block/$1/device/model" 2>/dev/null) serial $(disk_serial "$1")"
    echo "$text" | tr -s ' '
}

disk_serial() {
    for file in serial device/serial; do
        cat "/sys/block/$1/$file" 2>/dev/null && return
    done
    # SCSI and SATA: vital product data page 80 hex, four octets of header
    tail -c +5 "/sys/block/$1/device/vpd_pg80" 2>/dev/null | tr -d '\000'
}

describe_disks() {
    list=$(all_disks | while read -r _ name; do printf '%s (%s MB) ' "$name" $(($(disk_size "$name") / 1000000)); done)
    echo "${list:-none}"
}

# matches NAME SIZE
matches() {
    usb_too=
    set -f
    for condition in $TARGET_DISK; do
        case $condition in
            /dev/*) usb_too=1; like "$1" "${condition#/dev/}" ;;
            name=*) usb_too=1; like "$1" "${condition#*=}" ;;
            serial=*) usb_too=1; like "$(disk_serial "$1" | tr -d ' ')" "${condition#*=}" ;;
            wwn=*) usb_too=1
                   like "$(cat "/sys/block/$1/wwid" "/sys/block/$1/device/wwid" 2>/dev/null | head -n 1)" "${condition#*=}" ;;
            path=*) usb_too=1; like "$(readlink -f "/sys/block/$1")" "${condition#*=}" ;;
            'size>='*) [ "$2" -ge "$(octets "${condition#*=}")" ] ;;
            'size<='*) [ "$2" -le "$(octets "${condition#*=}")" ] ;;
            *) set +f; die "TARGET_DISK has a condition this deployer does not know: $condition" ;;
        esac || { set +f; return 1; }
    done
    set +f
    [ -n "$usb_too" ] && return 0
    [ "$(cat "/sys/block/$1/removable")" = 0 ] || return 1
    case $(readlink -f "/sys/block/$1") in */usb[0-9]*) return 1 ;; esac
}

# like TEXT PATTERN
like() {
    # The pattern is meant as one.
    # shellcheck disable=SC2254
    case $1 in $2) return 0 ;; esac
    return 1
}

octets() {
    case $1 in
        *K) echo $((${1%K} * 1000)) ;;
        *M) echo $((${1%M} * 1000000)) ;;
        *G) echo $((${1%G} * 1000000000)) ;;
        *T) echo $((${1%T} * 1000000000000)) ;;
        *) echo "$1" ;;
    esac
}

# flush_disk: all is on the disk, or the installation fails. An error of writing that came later is told by fsync alone.
flush_disk() {
    sync
    for device in "$PARTITION" "$DISK"; do
        dd if=/dev/null of="$device" conv=notrunc,fsync 2> /run/dd.err ||
            die "writing to $device failed at the end: $(tail -n 1 /run/dd.err)"
    done
    blockdev --flushbufs "$DISK"
}
