{% include "report.bash" %}
{% if log_port %}
# The journal has what subiquity, curtin and the kernel say; its lines go to provd until the machine restarts.
provd_logs() {
    local before=200
    while true; do
        if exec 3<> /dev/tcp/{{ server }}/{{ log_port }}; then
            journalctl --quiet --boot --follow --lines=$before --output=short >&3
            before=0
        fi
        sleep 10
    done
}
provd_logs < /dev/null > /dev/null 2>&1 &
{% endif %}
provd_say started "subiquity for {{ distro.name }}"

{% include "disk.bash" %}
disk=$(provd_disk)
if [ -z "$disk" ]; then
    provd_say failed "no disk fulfils: ${wanted:-any fixed disk}"
    exit 1
fi
# The installer reads its answers again after this command.
sed -i "s#PROVD_DISK#/dev/$disk#g" /autoinstall.yaml
