# The network card that booted, with the same address as before.

# The MAC address the boot loader handed over, with colons and in lower case; empty where it did not.
boot_mac() {
    mac=$(kernel_argument provd.mac)
    if [ -z "$mac" ]; then
        # pxelinux: hardware type, then the address (IPAPPEND 2)
        mac=$(kernel_argument BOOTIF)
        mac=${mac#??-}
    fi
    echo "$mac" | tr 'A-F-' 'a-f:'
}

# Ethernet cards, one name per line
cards() {
    for path in /sys/class/net/*; do
        [ "$(cat "$path/type" 2>/dev/null)" = 1 ] && [ -e "$path/device" ] && echo "${path##*/}"
    done
}

card_of() {
    for card in $(cards); do
        [ "$(cat "/sys/class/net/$card/address")" = "$1" ] && echo "$card" && return
    done
}

start_network() {
    mac=$(boot_mac)
    if [ -n "$mac" ]; then
        waited=0
        while card=$(card_of "$mac"); [ -z "$card" ]; do
            [ $waited -ge 20 ] && die "no network card has the address $mac: is its driver or firmware missing?"
            waited=$((waited + 1))
            sleep 1
        done
        configure "$card" || die "no DHCP answer on $card ($mac)"
        return
    fi
    [ -n "$(cards)" ] || die "no network card found: is its driver or firmware missing?"
    for card in $(cards); do ip link set "$card" up; done
    wait_for_link
    for card in $(cards); do
        [ "$(cat "/sys/class/net/$card/carrier" 2>/dev/null)" = 1 ] || continue
        configure "$card" && return
    done
    die "no DHCP answer on any network card with a link ($(cards | tr '\n' ' '))"
}

wait_for_link() {
    waited=0
    while [ $waited -lt 20 ] && ! grep -q 1 /sys/class/net/*/carrier 2>/dev/null; do
        waited=$((waited + 1))
        sleep 1
    done
}

# configure CARD: ask by DHCP; the client stays and renews, because an installation may outlive the lease.
configure() {
    ip link set "$1" up
    say "asking for an address on $1 ($(cat "/sys/class/net/$1/address"))"
    udhcpc -i "$1" -V provd-deployer -n -t 20 -T 2 -s /lib/deployer/dhcp-event > /dev/null 2>&1 || return 1
    say "address $(my_address) on $1"
}

my_address() {
    ip -4 -o addr show scope global | sed -n 's/.* inet \([0-9.]*\)\/.*/\1/p' | head -n 1
}
