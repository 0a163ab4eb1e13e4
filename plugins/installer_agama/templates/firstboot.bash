#!/bin/bash
{% include "report.bash" %}
# What the end of the installation wrote got no labels of SELinux there.
if command -v restorecon > /dev/null; then
    restorecon -R /root /home /etc/sudoers.d /etc/chrony.d /etc/sysconfig/proxy 2> /dev/null
fi
echo > /run/provd.firstboot
for try in {1..30}; do
    (provd_post firstboot /run/provd.firstboot) 2> /dev/null && break
    sleep 10
done
exit 0
