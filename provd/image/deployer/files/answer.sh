# The answer document: key=value lines, read one by one and never evaluated.
#   IMAGE_URL         directory with the manifest and the chunks                                  (must be there)
#   TARGET_DISK       which disk: see disk.sh; empty for the first fixed disk that is large enough
#   SEED_URL_META, SEED_URL_USER, SEED_URL_NETWORK    files of the NoCloud seed                  (META must be there)
#   CALLBACK_URL      started, progress, log, finished and failed are posted below it
#   REBOOT            yes (default) or poweroff, after success
#   VERIFY            disk: read everything back and compare; empty: trust the disk
#   ON_FAILURE        reboot (default), poweroff or wait
#   FAILURE_WAIT_S    seconds before the reboot after a failure, default 300
# Lines that begin with # and empty lines are skipped; a value reaches to the end of the line.

ANSWER=/run/answer
IMAGE_URL= TARGET_DISK= SEED_URL_META= SEED_URL_USER= SEED_URL_NETWORK= CALLBACK_URL=
REBOOT=yes VERIFY= ON_FAILURE=reboot
FAILURE_WAIT_S=$(kernel_argument provd.failure-wait)

load_answer() {
    url=$(kernel_argument provd.answer)
    [ -n "$url" ] || die "the kernel arguments have no provd.answer=URL"
    fetch "$url" /run/answer.new || die "the answer document was not served: $HTTP_ERROR"
    mv /run/answer.new "$ANSWER"
    read_answer
    [ -n "$IMAGE_URL" ] || die "the answer document has no IMAGE_URL"
    [ -n "$SEED_URL_META" ] || die "the answer document has no SEED_URL_META"
    say "answer document received"
}

load_saved_answer() {
    [ -s "$ANSWER" ] && read_answer
    case $FAILURE_WAIT_S in '' | *[!0-9]*) FAILURE_WAIT_S=300 ;; esac
    # A machine must never fail in a fast circle.
    [ "$FAILURE_WAIT_S" -ge 10 ] || FAILURE_WAIT_S=10
}

read_answer() {
    while IFS= read -r line || [ -n "$line" ]; do
        value=${line#*=}
        case $line in
            IMAGE_URL=*) IMAGE_URL=${value%/} ;;
            TARGET_DISK=*) TARGET_DISK=$value ;;
            SEED_URL_META=*) SEED_URL_META=$value ;;
            SEED_URL_USER=*) SEED_URL_USER=$value ;;
            SEED_URL_NETWORK=*) SEED_URL_NETWORK=$value ;;
            CALLBACK_URL=*) CALLBACK_URL=${value%/} ;;
            REBOOT=*) REBOOT=$value ;;
            VERIFY=*) VERIFY=$value ;;
            ON_FAILURE=*) ON_FAILURE=$value ;;
            FAILURE_WAIT_S=*) FAILURE_WAIT_S=$value ;;
            '' | '#'*) ;;
            *) say "the answer document has a key this deployer does not know: ${line%%=*}" ;;
        esac
    done < "$ANSWER"
}
