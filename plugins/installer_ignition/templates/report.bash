# provd_post NAME FILE: a report by HTTP.
provd_post() {
    curl --silent --show-error --fail --max-time 30 --noproxy '*' --output /dev/null \
        --header 'Content-Type: text/plain' --data-binary "@$2" {{ callback_url | shell_quote }}/"$1"
}

# provd_say NAME TEXT: tries again for a while, and the end for minutes: where it is lost, the machine is installed again.
provd_say() {
    local try tries=5
    [ "$1" != finished ] || tries=15
    echo "$2" > "/run/provd.$1"
    for ((try = 1; try <= tries; try++)); do
        provd_post "$1" "/run/provd.$1" 2> /dev/null && return 0
        sleep $((try * 2))
    done
    return 1
}
