# provd_keys USER KEY...
provd_keys() {
    local user=$1 home
    shift
    home=$(getent passwd "$user" | cut -d: -f6)
    mkdir -p "$home/.ssh"
    printf '%s\n' "$@" > "$home/.ssh/authorized_keys"
    chmod 0700 "$home/.ssh"
    chmod 0600 "$home/.ssh/authorized_keys"
    chown -R "$user:" "$home/.ssh"
}
