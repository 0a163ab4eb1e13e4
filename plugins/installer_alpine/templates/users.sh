# provd_keys USER HOME KEY...
provd_keys() {
    user=$1 home=$2
    shift 2
    mkdir -p "$target$home/.ssh"
    printf '%s\n' "$@" > "$target$home/.ssh/authorized_keys"
    chmod 0700 "$target$home/.ssh"
    chmod 0600 "$target$home/.ssh/authorized_keys"
    chroot "$target" chown -R "$user:" "$home/.ssh"
}

# A password of "*" lets nobody in by password; with "!" the SSH server would refuse keys too.
provd_users() {
    printf '%s\n' {{ ("root:" ~ (root_password_hash or "*")) | shell_quote }} | chroot "$target" chpasswd -e
{% if root_ssh_keys %}
    provd_keys root /root {{ root_ssh_keys | shell_quote }}
{% endif %}
{% for user in users %}
    chroot "$target" adduser -D -s {{ (user.get("shell") or "/bin/ash") | shell_quote }} -g {{ (user.get("gecos") or "") | shell_quote }} {{ user.name | shell_quote }}
    printf '%s\n' {{ (user.name ~ ":" ~ (user.get("password_hash") or "*")) | shell_quote }} | chroot "$target" chpasswd -e
{% for group in (user.get("groups") or []) + (["wheel"] if user.get("sudo") else []) %}
    chroot "$target" addgroup {{ group | shell_quote }} 2> /dev/null || true
    chroot "$target" addgroup {{ user.name | shell_quote }} {{ group | shell_quote }}
{% endfor %}
{% if user.get("sudo") %}
    mkdir -p "$target/etc/doas.d"
    printf 'permit %s %s\n' {{ "persist" if user.get("password_hash") else "nopass" }} {{ user.name | shell_quote }} > "$target"/etc/doas.d/90-provd-{{ user.name | shell_quote }}.conf
    chmod 0600 "$target"/etc/doas.d/90-provd-{{ user.name | shell_quote }}.conf
{% endif %}
{% if user.get("ssh_keys") %}
    provd_keys {{ user.name | shell_quote }} {{ ("/home/" ~ user.name) | shell_quote }} {{ user.ssh_keys | shell_quote }}
{% endif %}
{% endfor %}
}
