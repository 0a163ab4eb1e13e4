# provd_post NAME FILE: a report by HTTP.
provd_post() {
    timeout 60 wget -q -Y off -O /dev/null --header 'Content-Type: text/plain' --post-file "$2" {{ callback_url | shell_quote }}/"$1"
}

# provd_say NAME TEXT: tries again for a while, and the end for minutes: where it is lost, the machine is installed again.
provd_say() {
    echo "$2" > "/run/provd.$1"
    try=1 tries=5
    [ "$1" != finished ] || tries=15
    while [ "$try" -le "$tries" ]; do
        provd_post "$1" "/run/provd.$1" 2> /dev/null && return 0
        sleep $((try * 2))
        try=$((try + 1))
    done
    return 1
}
