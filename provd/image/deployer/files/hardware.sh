# Drivers: the kernel tells what hardware it sees as module aliases; modprobe knows which module serves which alias.

# Buses show new devices only after their own driver is there (PCI, then SCSI host, then disk), hence the rounds.
load_drivers() {
    previous=
    for round in 1 2 3 4 5 6; do
        find /sys/devices -name modalias -exec cat {} + 2>/dev/null | sort -u > /run/aliases
        current=$(md5sum < /run/aliases)
        [ "$current" = "$previous" ] && [ $round -gt 2 ] && break
        previous=$current
        xargs modprobe -a -q -b < /run/aliases > /dev/null 2>&1
        sleep 1
    done
    # A disk behind a SCSI host or an ATA port has no alias of the bus that a host driver would load.
    modprobe -a -q sd_mod vfat nls_cp437 nls_ascii > /dev/null 2>&1
}
