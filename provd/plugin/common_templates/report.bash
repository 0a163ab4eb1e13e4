{% set host = http_base.removeprefix("http://") %}
# provd_post NAME FILE: a report by HTTP, written to the port by bash, which is in every installer and installed system.
provd_post() {
    local line
    exec 9<> /dev/tcp/{{ host.partition(":")[0] }}/{{ host.partition(":")[2] or "80" }} || return 1
    printf 'POST {{ callback_url.removeprefix(http_base) }}/%s HTTP/1.0\r\nHost: {{ host }}\r\n' "$1" >&9
    printf 'Content-Type: text/plain\r\nContent-Length: %s\r\n\r\n' "$(wc -c < "$2")" >&9
    cat "$2" >&9
    read -r -t 20 line <&9
    exec 9>&-
    [[ $line == *" 200 "* ]]
}

# provd_say NAME TEXT: tries again for a while, and the end for minutes: where it is lost, the machine is installed again.
provd_say() {
    local try tries=5
    [ "$1" != finished ] || tries=15
    echo "$2" > "/tmp/provd.$1"
    for ((try = 1; try <= tries; try++)); do
        (provd_post "$1" "/tmp/provd.$1") 2> /dev/null && return 0
        sleep $((try * 2))
    done
    return 1
}
