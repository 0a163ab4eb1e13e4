# YaST calls this with sh, which is bash in the words of POSIX.
set +o posix
{% include "report.bash" %}
provd_say started "YaST for {{ distro.name }}"

{% include "disk.bash" %}
disk=$(provd_disk)
if [ -z "$disk" ]; then
    provd_say failed "no disk fulfils: ${wanted:-any fixed disk}"
fi
# YaST reads the modified profile after this script.
sed "s#<device>PROVD_DISK</device>#<device>/dev/${disk:-none}</device>#" /tmp/profile/autoinst.xml > /tmp/profile/modified.xml

# Uploads what is new in YaST's log until the machine restarts.
provd_follow() {
    local sent=0 size
    while true; do
        tail -c +$((sent + 1)) /var/log/YaST2/y2log | head -c 60000 > /tmp/provd.log
        size=$(wc -c < /tmp/provd.log)
        if [ "$size" -gt 0 ] && (provd_post log /tmp/provd.log); then
            sent=$((sent + size))
        fi
        sleep {{ log_every_s }}
    done
}
provd_follow < /dev/null > /dev/null 2>&1 &
