#!/bin/sh
# The smallest system that proves a network boot: it gets an address, fetches one URL, posts back, switches off.
# Kernel arguments: provd.url=URL to fetch, provd.nfs=HOST:/EXPORT/FILE to mount and read, provd.post=URL to post the result to, provd.end=poweroff|reboot|stay.
export PATH=/bin
say() { echo "quickboot: $*" >/dev/console; }
# The links are made from /proc/self/exe.
busybox mount -t proc proc /proc
busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
# Messages of the kernel would break into the lines that are read from the console.
dmesg -n 1
say "started, kernel $(uname -r), up $(cut -d' ' -f1 /proc/uptime) s"
value() { tr ' ' '\n' </proc/cmdline | sed -n "s/^$1=//p" | tail -n1; }
finish() {
  say "end: $1"
  sync
  case "$(value provd.end)" in
    reboot) reboot -f ;;
    stay) exec sh ;;
    *) poweroff -f ;;
  esac
}
dmesg | sed -n 's/.*\(Secure boot [a-z]*abled\).*/\1/p; s/.*\(Secure Boot is [a-z]*\).*/\1/p' | while read -r line; do
  say "$line"
done
for module in $(cat /modules/order); do
  insmod "/modules/$module" || say "module $module: failed"
done
interface=""
for try in $(seq 1 50); do
  for path in /sys/class/net/*; do
    [ -e "$path/device" ] && interface="${path##*/}"
  done
  [ -n "$interface" ] && break
  sleep 0.1
done
[ -n "$interface" ] || finish "no network card"
ip link set "$interface" up
say "card $interface $(cat "/sys/class/net/$interface/address")"
udhcpc -i "$interface" -n -q -f -t 10 -T 2 -s /dhcp-script || finish "no address"
. /lease
say "address $ip router ${router:-none} dns ${dns:-none} name ${hostname:-none} bootfile ${boot_file:-none}"
url="$(value provd.url)"
post="$(value provd.post)"
if [ -n "$url" ]; then
  wget -q -O /fetched "$url" || finish "fetch failed: $url"
  say "fetched $(wc -c </fetched) bytes sha256 $(sha256sum </fetched | cut -d' ' -f1)"
fi
nfs="$(value provd.nfs)"
if [ -n "$nfs" ]; then
  mkdir -p /mnt
  server="${nfs%%:*}"
  path="${nfs#*:}"
  # mount(8) would look the name up and choose an address of its own; the kernel wants both.
  mount -t nfs4 -o "ro,vers=4.2,proto=tcp,addr=$server,clientaddr=$ip" "$server:${path%/*}" /mnt || finish "mount failed: $nfs"
  [ -r "/mnt/${path##*/}" ] || finish "not there: $nfs"
  echo x 2>/dev/null >/mnt/written && finish "it could be written: $nfs"
  say "read $(wc -c <"/mnt/${path##*/}") bytes sha256 $(sha256sum <"/mnt/${path##*/}" | cut -d' ' -f1)"
  umount /mnt
fi
if [ -n "$post" ]; then
  wget -q -O /posted --post-data "address=$ip" "$post" || finish "post failed: $post"
  say "posted"
fi
finish "complete"
