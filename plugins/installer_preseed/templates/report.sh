{% set host = http_base.removeprefix("http://") %}
# Reports of the running Debian installer; its shell is busybox.
provd_host={{ host.partition(":")[0] | shell_quote }}
provd_port={{ (host.partition(":")[2] or "80") | shell_quote }}
provd_path={{ callback_url.removeprefix(http_base) | shell_quote }}

# provd_post NAME FILE: the wget of the installer cannot post, so the request is written by hand.
provd_post() {
    {
        printf 'POST %s/%s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: debian-installer\r\n' \
            "$provd_path" "$1" "$provd_host" "$provd_port"
        printf 'Content-Type: text/plain\r\nContent-Length: %s\r\n\r\n' "$(wc -c < "$2")"
        cat "$2"
        # nc must not end its side before the answer is there.
        sleep 2
    } | nc -w 20 "$provd_host" "$provd_port" 2> /dev/null | head -n 1 | grep -q ' 200 '
}

# provd_say NAME TEXT: tries again for a while, and the end for minutes: where it is lost, the machine is installed again.
provd_say() {
    echo "$2" > "/tmp/provd.$1"
    try=1 tries=5
    [ "$1" != finished ] || tries=15
    while [ "$try" -le "$tries" ]; do
        provd_post "$1" "/tmp/provd.$1" && return 0
        sleep $((try * 2))
        try=$((try + 1))
    done
    return 1
}

provd_start() {
    provd_say started "Debian installer" || true
    # The installer waits until its pipe is closed everywhere. A function would keep a copy of it (the shell saves what a
    # redirection replaces), a shell of its own does not.
    sh -c '. /tmp/provd.sh; provd_follow' < /dev/null > /dev/null 2>&1 3>&- 4>&- 5>&- &
}

# provd_log SENT: posts what the log has after SENT octets and prints how many it has now.
provd_log() {
    tail -c +$(($1 + 1)) /var/log/syslog | head -c 60000 > /tmp/provd.log
    new=$(wc -c < /tmp/provd.log)
    if [ "$new" -gt 0 ] && provd_post log /tmp/provd.log; then
        echo $(($1 + new))
    else
        echo "$1"
    fi
}

provd_follow() {
    sent=0
    last=
    while [ ! -e /tmp/provd.stop ]; do
        sent=$(provd_log "$sent")
        step=$(sed -n "s/.*INFO: Menu item '\([a-z0-9-]*\)' selected.*/\1/p" /var/log/syslog | tail -n 1)
        if [ -n "$step" ] && [ "$step" != "$last" ]; then
            echo "percent=$(provd_percent "$step") text=$step" > /tmp/provd.progress
            provd_post progress /tmp/provd.progress && last=$step
        fi
        sleep {{ log_every_s }}
    done
}

# Shares of an ordinary installation's time.
provd_percent() {
    case $1 in
        download-installer) echo 5 ;;
        user-setup-udeb) echo 15 ;;
        clock-setup) echo 18 ;;
        partman-base) echo 20 ;;
        bootstrap-base) echo 25 ;;
        apt-setup-udeb) echo 55 ;;
        pkgsel) echo 60 ;;
        grub-installer) echo 90 ;;
        finish-install) echo 95 ;;
        *) echo 2 ;;
    esac
}

# provd_disk: chooses the disk that fulfils every condition, the first in the installer's order. What somebody may have
# plugged in (removable, USB) is taken only where its name, serial number, wwn or path is said.
provd_disk() {
    wanted={{ disk | shell_quote }}
    set -f
    for device in $(list-devices disk); do
        if provd_fits "$device"; then
            debconf-set partman-auto/disk "$device"
            debconf-set grub-installer/bootdev "$device"
            set +f
            return 0
        fi
    done
    set +f
    provd_say failed "no disk fulfils: ${wanted:-any fixed disk}"
    return 1
}

provd_fits() {
    name=${1#/dev/}
    block=/sys/block/$name
    case " $wanted" in
        *[[:space:]]/dev/* | *[[:space:]]name=* | *[[:space:]]serial=* | *[[:space:]]wwn=* | *[[:space:]]path=*) ;;
        *)
            [ "$(cat "$block/removable" 2> /dev/null)" != 1 ] || return 1
            case $(readlink -f "$block") in */usb[0-9]*) return 1 ;; esac ;;
    esac
    for condition in $wanted; do
        value=${condition#*=}
        case $condition in
            /dev/*) [ "$(readlink -f "$condition")" = "$1" ] || return 1 ;;
            name=*) provd_like "$name" "$value" || return 1 ;;
            serial=*)
                serial=$(udevadm info -q property -n "$1" | sed -n 's/^ID_SERIAL_SHORT=//p; s/^ID_SERIAL=//p')
                provd_line "$serial" "$value" || return 1 ;;
            wwn=*) [ "$(cat "$block/wwid" "$block/device/wwid" 2> /dev/null | head -n 1)" = "$value" ] || return 1 ;;
            path=*) provd_like "$(readlink -f "$block")" "$value" || return 1 ;;
            "size>="*) [ "$(cat "$block/size")" -ge "$(provd_sectors "$value")" ] || return 1 ;;
            "size<="*) [ "$(cat "$block/size")" -le "$(provd_sectors "$value")" ] || return 1 ;;
            *) return 1 ;;
        esac
    done
    return 0
}

provd_like() {
    case $1 in $2) return 0 ;; esac
    return 1
}

provd_line() {
    echo "$1" | grep -qxF "$2"
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
