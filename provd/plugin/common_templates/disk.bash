# provd_disk: prints the disk that fulfils every condition, the first by its place in the machine. What somebody may have
# plugged in (removable, USB) is taken only where its name, serial number, wwn or path is said.
wanted={{ disk | shell_quote }}

provd_disk() {
    local place name
    while read -r place; do
        name=${place##*/}
        [ -e "$place/device" ] && [ "$(cat "$place/size")" -gt 0 ] && [ "$(cat "$place/ro")" = 0 ] || continue
        case $name in sr*|fd*|loop*|ram*|zram*|mmcblk*boot*) continue ;; esac
        # A path to a disk that has several; the disk itself is another device.
        [ "$(cat "$place/hidden" 2> /dev/null)" != 1 ] || continue
        provd_may "$place" || continue
        if provd_fits "$name" "$place"; then
            echo "$name"
            return 0
        fi
    done < <(for link in /sys/block/*; do readlink -f "$link"; done | sort)
    return 1
}

provd_may() {
    case " $wanted" in *[[:space:]]/dev/* | *[[:space:]]name=* | *[[:space:]]serial=* | *[[:space:]]wwn=* | *[[:space:]]path=*) return 0 ;; esac
    [ "$(cat "$1/removable")" != 1 ] || return 1
    case $1 in */usb[0-9]*) return 1 ;; esac
}

provd_fits() {
    local condition value conditions
    read -r -a conditions <<< "$wanted"
    for condition in "${conditions[@]}"; do
        value=${condition#*=}
        case $condition in
            /dev/*) [ "$(readlink -f "$condition")" = "/dev/$1" ] || return 1 ;;
            name=*) [[ $1 == $value ]] || return 1 ;;
            serial=*) udevadm info --query=property --name="$1" | grep -qxE "ID_SERIAL(_SHORT)?=$value" || return 1 ;;
            wwn=*) [ "$(cat "$2/wwid" "$2/device/wwid" 2> /dev/null | head -n 1)" = "$value" ] || return 1 ;;
            path=*) [[ $2 == $value ]] || return 1 ;;
            "size>="*) [ "$(cat "$2/size")" -ge "$(provd_sectors "${condition#size>=}")" ] || return 1 ;;
            "size<="*) [ "$(cat "$2/size")" -le "$(provd_sectors "${condition#size<=}")" ] || return 1 ;;
            *) return 1 ;;
        esac
    done
    return 0
}

# provd_sectors SIZE: octets, or with K, M, G, T (powers of 1000), as sectors of 512 octets.
provd_sectors() {
    local number=${1%[KMGT]}
    case $1 in
        *K) echo $((number * 1000 / 512)) ;;
        *M) echo $((number * 1000000 / 512)) ;;
        *G) echo $((number * 1000000000 / 512)) ;;
        *T) echo $((number * 1000000000000 / 512)) ;;
        *) echo $((number / 512)) ;;
    esac
}
