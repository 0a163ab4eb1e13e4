{% include "report.bash" %}
provd_say started "subiquity for {{ distro.name }}"

{% include "disk.bash" %}
disk=$(provd_disk)
if [ -z "$disk" ]; then
    provd_say failed "no disk fulfils: ${wanted:-any disk}"
    exit 1
fi
# The installer reads its answers again after this command.
sed -i "s#PROVD_DISK#/dev/$disk#g" /autoinstall.yaml
