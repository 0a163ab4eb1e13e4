#!/bin/bash
{% include "report.bash" %}
provd_say started "Agama for {{ distro.name }}"
{% if not storage %}

{% include "disk.bash" %}
# Agama finds the disk itself, also one that was plugged in.
provd_may() { return 0; }
if [ -z "$(provd_disk)" ]; then
    provd_say failed "no disk fulfils: ${wanted:-any disk}"
fi
{% endif %}

# Uploads what is new in the installer's journal until the machine restarts.
provd_follow() {
    local sent=0 size
    while true; do
        journalctl --boot --quiet --no-pager --unit='agama*' > /tmp/provd.journal 2> /dev/null
        tail -c +$((sent + 1)) /tmp/provd.journal | head -c 60000 > /tmp/provd.lines
        size=$(wc -c < /tmp/provd.lines)
        if [ "$size" -gt 0 ] && (provd_post log /tmp/provd.lines); then
            sent=$((sent + size))
        fi
        sleep {{ log_every_s }}
    done
}
provd_follow < /dev/null > /dev/null 2>&1 &
