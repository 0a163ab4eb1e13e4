#!/bin/bash
# {{ hostname }}: {{ distro.name }} by profile {{ profile.name }}
{% include "report.bash" %}

{% include "disk.bash" %}

# Uploads what the installer said since the last time.
provd_log() {
    journalctl --unit provd-install --output cat --no-pager --cursor-file /run/provd.cursor 2> /dev/null |
        tail -c 60000 > /run/provd.log
    [ ! -s /run/provd.log ] || provd_post log /run/provd.log 2> /dev/null || true
}

provd_follow() {
    while sleep {{ log_every_s }}; do
        provd_log
    done
}

provd_fail() {
    echo "$1"
    provd_log
    provd_say failed "$1"
    exit 1
}

provd_say started "live system for {{ distro.name }}" || true
disk=$(provd_disk) || provd_fail "no disk fulfils: ${wanted:-any fixed disk}"
echo "percent=5 text=installing to /dev/$disk" > /run/provd.progress
provd_post progress /run/provd.progress || true

umask 077
curl --silent --show-error --fail --location --retry 5 --retry-connrefused --output /run/provd.ign {{ (external or answer_url ~ "/config.ign") | shell_quote }} ||
    provd_fail "the Ignition file of the installed system could not be fetched"

provd_follow &
follower=$!
{% if distro.family == "flatcar" %}
{% set release = install_url.rstrip("/").rpartition("/") %}
flatcar-install -d "/dev/$disk" -b {{ release[0] | shell_quote }} -V {{ release[2] | shell_quote }} -i /run/provd.ign
{% else %}
coreos-installer install --offline --ignition-file /run/provd.ign "/dev/$disk"
{% endif %}
result=$?
kill "$follower"
[ "$result" = 0 ] || provd_fail "{{ "flatcar-install" if distro.family == "flatcar" else "coreos-installer" }} ended with status $result"
provd_log
provd_say finished "{{ distro.name }} is installed"
systemctl --no-block {{ "poweroff" if reboot == "poweroff" else "reboot" }}
