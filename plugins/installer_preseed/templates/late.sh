{% set host = http_base.removeprefix("http://") %}
# Finishes the installed system; run by the installer at its end, with the system at /target.
. /tmp/provd.sh

provd_late() {
    set -e
{% for user in users %}
    in-target useradd --create-home --shell {{ user.get("shell", "/bin/bash") | shell_quote }} --comment {{ user.get("gecos", "") | shell_quote }} {{ user.name | shell_quote }}
{% if user.get("groups") %}
    in-target usermod --append --groups {{ user.groups | join(",") | shell_quote }} {{ user.name | shell_quote }}
{% endif %}
{% if user.get("password_hash") %}
    printf '%s:%s\n' {{ user.name | shell_quote }} {{ user.password_hash | shell_quote }} | chroot /target chpasswd --encrypted
{% endif %}
{% if user.get("sudo") %}
    in-target usermod --append --groups sudo {{ user.name | shell_quote }}
{% if not user.get("password_hash") %}
    printf '%s ALL=(ALL) NOPASSWD:ALL\n' {{ user.name | shell_quote }} > /target/etc/sudoers.d/90-provd-{{ user.name | replace(".", "_") }}
    chmod 0440 /target/etc/sudoers.d/90-provd-{{ user.name | replace(".", "_") }}
{% endif %}
{% endif %}
{% if user.get("ssh_keys") %}
    provd_keys {{ user.name | shell_quote }} {{ ("/home/" ~ user.name) | shell_quote }} {{ user.ssh_keys | shell_quote }}
{% endif %}
{% endfor %}
{% if root_ssh_keys %}
    provd_keys root /root {{ root_ssh_keys | shell_quote }}
{% endif %}
{% if network == "static" or links %}
    provd_network
{% endif %}
{% for command in post_install %}
    in-target sh -c {{ command | shell_quote }}
{% endfor %}
    provd_firstboot
}

# provd_keys USER HOME KEY...
provd_keys() {
    user=$1 home=$2
    shift 2
    mkdir -p "/target$home/.ssh"
    printf '%s\n' "$@" > "/target$home/.ssh/authorized_keys"
    chmod 0700 "/target$home/.ssh"
    chmod 0600 "/target$home/.ssh/authorized_keys"
    in-target chown -R "$user:" "$home/.ssh"
}

{% if network == "static" or links %}
# The network of the installed system. The installer copies its own file once more after this script.
provd_network() {
    cat > /etc/network/interfaces << 'PROVD_NETWORK'
# provd: network
PROVD_NETWORK
    for card in /sys/class/net/*; do
        [ ! -e "$card/device" ] || sed -i "s/@$(cat "$card/address")@/${card##*/}/g" /etc/network/interfaces
    done
    if grep '@[0-9a-f:]*@' /etc/network/interfaces >&2; then
        echo "this machine has no network card of this address" >&2
        return 1
    fi
    cp /etc/network/interfaces /target/etc/network/interfaces
{% set fixed = network == "static" or links | selectattr("address") | list %}
{% if fixed and interface.dns %}
    printf '%s\n' {{ ("search " ~ interface.domain) | shell_quote if interface.domain else "" }}{% for server in interface.dns %} {{ ("nameserver " ~ server) | shell_quote }}{% endfor %} > /target/etc/resolv.conf
{% endif %}
}

{% endif %}
# The installed system reports its first boot once; bash can talk to a port, and nothing else is needed.
provd_firstboot() {
    cat > /target/usr/local/sbin/provd-firstboot << 'END'
#!/bin/bash
exec 3<> /dev/tcp/{{ host.partition(":")[0] }}/{{ host.partition(":")[2] or "80" }} || exit 1
printf 'POST {{ callback_url.removeprefix(http_base) }}/firstboot HTTP/1.0\r\nHost: {{ host }}\r\nContent-Length: 0\r\n\r\n' >&3
read -r -t 20 line <&3
[[ $line == *" 200 "* ]]
END
    cat > /target/etc/systemd/system/provd-firstboot.service << 'END'
[Unit]
Description=Report the first boot to provd
Wants=network-online.target
After=network-online.target
ConditionPathExists=/usr/local/sbin/provd-firstboot
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/provd-firstboot
ExecStartPost=/bin/systemctl disable provd-firstboot.service
ExecStartPost=/bin/rm -f /usr/local/sbin/provd-firstboot
Restart=on-failure
RestartSec=20

[Install]
WantedBy=multi-user.target
END
    chmod 0700 /target/usr/local/sbin/provd-firstboot
    in-target systemctl enable provd-firstboot.service
}

# A subshell in an `if` would not stop at the first error; its exit status is taken apart from it.
set +e
(provd_late)
result=$?
touch /tmp/provd.stop
provd_log "$(($(wc -c < /var/log/syslog) > 20000 ? $(wc -c < /var/log/syslog) - 20000 : 0))" > /dev/null
if [ "$result" = 0 ]; then
    provd_say finished "Debian {{ vars.suite }} is installed"
else
    provd_say failed "late.sh ended with status $result"
    exit 1
fi
