#!/bin/sh
# {{ hostname }}: {{ distro.name }} by profile {{ profile.name }}
target=/mnt
interfaces=PROVD_INTERFACES
{% include "report.sh" %}

{% include "disk.sh" %}

{% include "users.sh" %}

# Uploads what is new in the log; what does not arrive is sent again the next time.
provd_log() {
    sent=$(cat /run/provd.sent 2> /dev/null || echo 0)
    tail -c +$((sent + 1)) /var/log/provd.log | head -c 60000 > /run/provd.log
    new=$(wc -c < /run/provd.log)
    if [ "$new" -gt 0 ] && provd_post log /run/provd.log; then
        echo $((sent + new)) > /run/provd.sent
    fi
}

provd_follow() {
    while sleep {{ log_every_s }} && [ ! -e /run/provd.stop ]; do
        provd_log
    done
}

# provd_end: the follower ends before the rest is sent, or both would send it.
provd_end() {
    touch /run/provd.stop
    kill "$follower" 2> /dev/null
    wait "$follower" 2> /dev/null
    provd_log
}

provd_fail() {
    echo "$1"
    provd_end
    provd_say failed "$1"
    exit 1
}

# provd_step PERCENT TEXT
provd_step() {
    echo "percent=$1 text=$2" > /run/provd.step
    provd_post progress /run/provd.step || true
}

# provd_card MAC: what the kernel calls the card.
provd_card() {
    for card in /sys/class/net/*; do
        if [ -e "$card/device" ] && [ "$(cat "$card/address")" = "$1" ]; then
            echo "${card##*/}"
        fi
    done | head -n 1
}

# The cards' names come in; a paragraph about a card that is not there goes.
provd_network() {
    printf '%s\n' "$interfaces" > /run/provd.interfaces
    for card in /sys/class/net/*; do
        [ ! -e "$card/device" ] || sed -i "s/@$(cat "$card/address")@/${card##*/}/g" /run/provd.interfaces
    done
    awk 'BEGIN { RS = ""; ORS = "\n\n" } !/@[0-9a-f:]+@/' /run/provd.interfaces > "$target/etc/network/interfaces"
{% set fixed = network == "static" or links | selectattr("address") | list %}
{% if fixed and interface.dns %}
    printf '%s\n' {{ ("search " ~ interface.domain) | shell_quote if interface.domain else "" }}{% for server in interface.dns %} {{ ("nameserver " ~ server) | shell_quote }}{% endfor %} > "$target/etc/resolv.conf"
{% endif %}
}

# The root of what was installed: setup-disk takes it away at its end.
provd_mount() {
    for part in $(sed -n "s#.* \(${PROVD_DISK#/dev/}p\{0,1\}[0-9]*\)\$#/dev/\1#p" /proc/partitions); do
        [ "$part" != "$PROVD_DISK" ] && mount "$part" "$target" 2> /dev/null || continue
        if [ -e "$target/etc/alpine-release" ]; then
            for folder in dev proc sys; do mount --bind "/$folder" "$target/$folder"; done
            chroot "$target" mount -a
            return 0
        fi
        umount "$target"
    done
    return 1
}

provd_finish() {
    set -e
    rm -f "$target/etc/local.d/provd.start"
    cp /etc/resolv.conf "$target/etc/resolv.conf"
{% set short = hostname.partition(".")[0] %}
{% if short != hostname %}
    printf '127.0.1.1\t%s %s\n' {{ hostname | shell_quote }} {{ short | shell_quote }} >> "$target/etc/hosts"
{% endif %}
{% for repository in repositories %}
{% if repository.get("key") %}
    timeout 60 wget -q -P "$target/etc/apk/keys" {{ repository.key | shell_quote }}
{% endif %}
    printf '%s\n' {{ repository.url | shell_quote }} >> "$target/etc/apk/repositories"
{% endfor %}
    chroot "$target" apk update
{% set sudo = ["doas"] if users | selectattr("sudo", "defined") | selectattr("sudo") | list else [] %}
{% set shells = ["bash"] if "/bin/bash" in users | map(attribute="shell", default="") | list else [] %}
{% set linked = ["ifupdown-ng", "ifupdown-ng-iproute2", "iproute2"] if links else [] %}
{% set all = linked + sudo + shells + packages %}
{% if all %}
    chroot "$target" apk add {{ all | shell_quote }}
{% endif %}
{% if package_update %}
    chroot "$target" apk upgrade
{% endif %}
{% if ntp %}
    printf 'server %s iburst\ndriftfile /var/lib/chrony/chrony.drift\nmakestep 1.0 3\nrtcsync\n' {{ ntp | shell_quote }} > "$target/etc/chrony/chrony.conf"
{% endif %}
    provd_users
{% for command in post_install %}
    chroot "$target" sh -c {{ command | shell_quote }}
{% endfor %}
    provd_network
    provd_firstboot
}

# The installed system reports its first boot once.
provd_firstboot() {
    cat > "$target/etc/local.d/provd-firstboot.start" << 'END'
#!/bin/sh
{% include "report.sh" %}
(provd_say firstboot {{ distro.name | shell_quote }} && rm -f /etc/local.d/provd-firstboot.start) &
END
    chmod 0700 "$target/etc/local.d/provd-firstboot.start"
    chroot "$target" rc-update add local default
}

provd_say started {{ ("setup-alpine for " ~ distro.name) | shell_quote }} || true
provd_follow &
follower=$!
disk=$(provd_disk) || provd_fail "no disk fulfils: ${wanted:-any fixed disk}"
PROVD_DISK=/dev/$disk
PROVD_CARD=$(provd_card {{ interface.mac | shell_quote }})
PROVD_CARD=${PROVD_CARD:-eth0}
export PROVD_DISK PROVD_CARD
provd_step 5 "installing to $PROVD_DISK"
umask 077
timeout 60 wget -q -Y off -O /run/provd.answers {{ (external or answer_url ~ "/answers") | shell_quote }} ||
    provd_fail "the answer file could not be fetched"
umask 022
timeout 3600 setup-alpine -e -f /run/provd.answers < /dev/null || provd_fail "setup-alpine ended with status $?"
provd_step 60 "finishing"
provd_mount || provd_fail "setup-alpine left no system on $PROVD_DISK"
# A subshell in an `if` would not stop at the first error; its exit status is taken apart from it.
(provd_finish)
result=$?
for folder in dev proc sys; do umount "$target/$folder"; done
for place in $(sed -n "s#^[^ ]* \($target[^ ]*\) .*#\1#p" /proc/mounts | sort -r); do umount "$place"; done
[ "$result" = 0 ] || provd_fail "the end of the installation failed with status $result"
sync
provd_end
provd_say finished {{ (distro.name ~ " is installed") | shell_quote }}
{{ "poweroff" if reboot == "poweroff" else "reboot" }}
