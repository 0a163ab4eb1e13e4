# YaST calls this with sh, which is bash in the words of POSIX.
set +o posix
{% include "report.bash" %}

{% include "keys.bash" %}

provd_finish() {
    set -e
{% for user in users %}
    # Before version 15 YaST makes users only after the restart.
    getent passwd {{ user.name | shell_quote }} > /dev/null || useradd -m -s {{ (user.get("shell") or "/bin/bash") | shell_quote }} {{ user.name | shell_quote }}
{% include "suse_rights.bash" %}
{% endfor %}
{% if root_ssh_keys %}
    provd_keys root {{ root_ssh_keys | shell_quote }}
{% endif %}
{% if package_update %}
    zypper --non-interactive update
{% endif %}
{% for command in post_install %}
    bash -c {{ command | shell_quote }}
{% endfor %}
    systemctl enable sshd.service
    provd_firstboot
}

# The installed system reports its first boot once.
provd_firstboot() {
    {
        echo '#!/bin/bash'
        declare -f provd_post
        echo 'echo > /run/provd.firstboot 2> /dev/null || exit 1'
        echo 'for try in {1..30}; do (provd_post firstboot /run/provd.firstboot) && break; sleep 10; done'
        echo 'rm -f /usr/local/sbin/provd-firstboot'
    } > /usr/local/sbin/provd-firstboot
    chmod 0700 /usr/local/sbin/provd-firstboot
    cat > /etc/systemd/system/provd-firstboot.service << 'END'
[Unit]
Description=Report the first boot to provd
Wants=network-online.target
After=network-online.target
ConditionPathExists=/usr/local/sbin/provd-firstboot

[Service]
Type=oneshot
TimeoutStartSec=900
ExecStart=/bin/bash /usr/local/sbin/provd-firstboot

[Install]
WantedBy=multi-user.target
END
    systemctl enable provd-firstboot.service
}

(provd_finish)
result=$?
if [ "$result" = 0 ]; then
    provd_say finished "{{ distro.name }} is installed"
else
    provd_say failed "the end of the installation failed with status $result"
    exit 1
fi
