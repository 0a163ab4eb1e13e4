# provd_disk: prints the disk that fulfils every condition, the first by its place in the machine. What somebody may have
# plugged in (removable, USB) is taken only where its name, serial number, wwn or path is said.
wanted={{ disk | shell_quote }}

provd_disk() {
    for link in /sys/block/*; do readlink -f "$link"; done | sort | (
        set -f
        while read -r place; do
            name=${place##*/}
            [ -e "$place/device" ] && [ "$(cat "$place/size")" -gt 0 ] && [ "$(cat "$place/ro")" = 0 ] || continue
            case $name in sr*|fd*|loop*|ram*|zram*|mmcblk*boot*) continue ;; esac
            # A path to a disk that has several; the disk itself is another device.
            [ "$(cat "$place/hidden" 2> /dev/null)" != 1 ] || continue
            provd_may || continue
            if provd_fits; then
                echo "$name"
                exit 0
            fi
        done
        exit 1
    )
}

provd_may() {
    case " $wanted" in *[[:space:]]/dev/* | *[[:space:]]name=* | *[[:space:]]serial=* | *[[:space:]]wwn=* | *[[:space:]]path=*) return 0 ;; esac
    [ "$(cat "$place/removable")" != 1 ] || return 1
    case $place in */usb[0-9]*) return 1 ;; esac
}

provd_fits() {
    for condition in $wanted; do
        value=${condition#*=}
        case $condition in
            /dev/*) [ "$(readlink -f "$condition")" = "/dev/$name" ] || return 1 ;;
            name=*) provd_like "$name" "$value" || return 1 ;;
            serial=*) provd_serial | grep -qxF -e "$value" || return 1 ;;
            wwn=*) [ "$(cat "$place/wwid" "$place/device/wwid" 2> /dev/null | head -n 1)" = "$value" ] || return 1 ;;
            path=*) provd_like "$place" "$value" || return 1 ;;
            "size>="*) [ "$(cat "$place/size")" -ge "$(provd_sectors "$value")" ] || return 1 ;;
            "size<="*) [ "$(cat "$place/size")" -le "$(provd_sectors "$value")" ] || return 1 ;;
            *) return 1 ;;
        esac
    done
    return 0
}

# provd_serial: what the kernel knows of it, since there is no udev; SCSI says it in a page of its own.
provd_serial() {
    cat "$place/serial" "$place/device/serial" 2> /dev/null
    echo
    [ ! -e "$place/device/vpd_pg80" ] || tail -c +5 "$place/device/vpd_pg80" | tr -d '\0 '
}

provd_like() {
    case $1 in $2) return 0 ;; esac
    return 1
}

# provd_sectors SIZE: octets, or with K, M, G, T (powers of 1000), as sectors of 512 octets.
provd_sectors() {
    number=${1%[KMGT]}
    case $1 in
        *K) echo $((number * 1000 / 512)) ;;
        *M) echo $((number * 1000000 / 512)) ;;
        *G) echo $((number * 1000000000 / 512)) ;;
        *T) echo $((number * 1000000000000 / 512)) ;;
        *) echo $((number / 512)) ;;
    esac
}
