{% include "report.bash" %}

# The end of the log; what does not arrive stops nothing.
tail -c 60000 /var/log/installer/subiquity-server-debug.log > /tmp/provd.log 2> /dev/null
(provd_post log /tmp/provd.log) || true
provd_say finished "{{ distro.name }} is installed"
