# provd_post NAME FILE: a report by HTTP.
provd_post() {
    timeout 60 wget -q -Y off -O /dev/null --header 'Content-Type: text/plain' --post-file "$2" {{ callback_url | shell_quote }}/"$1"
}

# provd_say NAME TEXT: tries again for a while, because a report that is lost leaves the machine unfinished.
provd_say() {
    echo "$2" > "/run/provd.$1"
    for try in 1 2 3 4 5; do
        provd_post "$1" "/run/provd.$1" 2> /dev/null && return 0
        sleep $((try * 2))
    done
    return 1
}
