#!/bin/bash
# {{ hostname }}: the first boot of {{ distro.name }} by profile {{ profile.name }}
{% include "report.bash" %}

provd_finish() {
    set -e
{% if packages %}
    rpm-ostree install --apply-live --allow-inactive --idempotent --assumeyes {{ packages | shell_quote }}
{% endif %}
{% if package_update %}
{% if distro.family == "flatcar" %}
    update_engine_client -check_for_update
{% else %}
    rpm-ostree upgrade
{% endif %}
{% endif %}
{% for command in post_install %}
    bash -c {{ command | shell_quote }}
{% endfor %}
}

# A subshell in an `if` would not stop at the first error; its exit status is taken apart from it.
(provd_finish)
result=$?
journalctl --unit provd-firstboot --output cat --no-pager | tail -c 60000 > /run/provd.log
[ ! -s /run/provd.log ] || provd_post log /run/provd.log || true
if [ "$result" = 0 ]; then
    # The address of the reports is a secret of this installation.
    provd_say firstboot "{{ distro.name }}" && rm -f /etc/provd/firstboot.bash
else
    provd_say failed "the end of the installation failed with status $result"
    exit 1
fi
