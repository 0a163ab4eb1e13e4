#!/bin/bash
# Runs in the installed system (chroot), where systemd is not running.
{% include "report.bash" %}

{% include "keys.bash" %}

provd_finish() {
    set -e
{% for user in users %}
    # Agama makes the first user only.
    getent passwd {{ user.name | shell_quote }} > /dev/null || useradd -m -c {{ (user.get("gecos") or user.name) | replace(":", " ") | shell_quote }} {{ user.name | shell_quote }}
    usermod -s {{ (user.get("shell") or "/bin/bash") | shell_quote }} -p {{ (user.get("password_hash") or "!") | shell_quote }} {{ user.name | shell_quote }}
{% include "suse_rights.bash" %}
{% endfor %}
{% if root_ssh_keys %}
    provd_keys root {{ root_ssh_keys | shell_quote }}
{% endif %}
{% if ntp %}
    mkdir -p /etc/chrony.d
    # Beside it the distribution's own pool would still be asked.
    rm -f /etc/chrony.d/pool.conf
    printf 'server %s iburst\n' {{ ntp | shell_quote }} > /etc/chrony.d/provd.conf
    systemctl enable chronyd.service
{% endif %}
{% if proxy %}
    provd_proxy {{ proxy | shell_quote }}
{% endif %}
{% if package_update %}
    zypper --non-interactive update
{% endif %}
{% for command in post_install %}
    bash -c {{ command | shell_quote }}
{% endfor %}
    if command -v firewall-offline-cmd > /dev/null; then
        firewall-offline-cmd --add-service=ssh > /dev/null
    fi
    systemctl enable sshd.service
}

# provd_proxy URL: what YaST's and libzypp's readers of /etc/sysconfig/proxy know.
provd_proxy() {
    local line kept=()
    if [ -e /etc/sysconfig/proxy ]; then
        while IFS= read -r line; do
            case $line in PROXY_ENABLED=*|HTTP_PROXY=*|HTTPS_PROXY=*|NO_PROXY=*) ;; *) kept+=("$line") ;; esac
        done < /etc/sysconfig/proxy
    fi
    kept+=('PROXY_ENABLED="yes"' "HTTP_PROXY=\"$1\"" "HTTPS_PROXY=\"$1\"" 'NO_PROXY="localhost, 127.0.0.1"')
    printf '%s\n' "${kept[@]}" > /etc/sysconfig/proxy
}

(provd_finish)
result=$?
if [ "$result" = 0 ]; then
    provd_say finished "{{ distro.name }} is installed"
else
    provd_say failed "the end of the installation failed with status $result"
    exit 1
fi
