# What people see: every line goes to every console of the kernel command line, and to the log that is sent to provd.

LOG=/run/deployer.log
REASON=/run/reason
CONSOLES=$(cat /sys/class/tty/console/active 2>/dev/null)
: > "$LOG"

# say TEXT: one line. Never called with a URL of provd's answer, seed or callback: they hold the token.
say() {
    read -r up _ < /proc/uptime
    echo "[$up] $*" >> "$LOG"
    for console in $CONSOLES; do
        printf 'provd: %s\r\n' "$*" > "/dev/$console" 2>/dev/null
    done
}

# die SENTENCE: the installation ends here; init reports the sentence.
die() {
    echo "$*" > "$REASON"
    exit 1
}

# leave reboot|poweroff: the only way out of the machine.
leave() {
    say "$1"
    sync
    sleep 1
    "$1" -f
    while :; do sleep 60; done
}

# seconds since boot, whole
seconds() {
    read -r up _ < /proc/uptime
    echo "${up%%.*}"
}

# value of a kernel argument, empty where it is not given
kernel_argument() {
    set -f
    for word in $(cat /proc/cmdline); do
        case $word in "$1="*) echo "${word#*=}" ;; esac
    done | tail -n 1
    set +f
}
