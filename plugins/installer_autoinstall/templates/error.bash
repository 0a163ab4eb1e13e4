{% include "report.bash" %}

tail -c 60000 /var/log/installer/subiquity-server-debug.log > /tmp/provd.log 2> /dev/null
(provd_post log /tmp/provd.log) || true
provd_say failed "subiquity stopped with an error; its log has it"
