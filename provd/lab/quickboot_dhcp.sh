#!/bin/sh
# Called by udhcpc with the event as first argument and the lease in its environment.
case "$1" in
  deconfig)
    ip addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    ip addr add "$ip/${mask:-24}" dev "$interface"
    [ -n "$router" ] && ip route add default via "${router%% *}" dev "$interface"
    {
      echo "ip='$ip'"
      echo "router='${router%% *}'"
      echo "dns='${dns%% *}'"
      echo "hostname='$hostname'"
      echo "boot_file='$boot_file'"
    } >/lease
    ;;
esac
