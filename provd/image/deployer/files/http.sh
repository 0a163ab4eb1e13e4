# HTTP by busybox wget. URLs are never printed: most hold a token. Debian's wget applet has no time-out of its own.

HTTP_ERROR=
HTTP_TRIES=6
# The longest file is one chunk.
FETCH_SECONDS=300

# The reason in wget's error output, without the URL.
http_reason() {
    # Input: "wget: server returned error: HTTP/1.1 404 Not Found"
    #     or "wget: can't connect to remote host (10.0.0.1): Connection refused"
    sed -n -e 's/.*server returned error: HTTP\/[0-9.]* */HTTP /p' \
           -e "s/.*can't connect to remote host ([^)]*): */cannot connect: /p" \
           -e 's/.*: bad address.*/the server name cannot be resolved/p' \
           -e 's/.*download timed out.*/no answer in time/p' \
           -e 's/.*connection closed prematurely.*/the connection broke off/p' /run/http.err | tail -n 1
}

# fetch URL FILE: GET with retries; on failure HTTP_ERROR is set and the result is 1.
fetch() {
    attempt=1
    while :; do
        timeout $FETCH_SECONDS wget -O "$2" "$1" > /dev/null 2> /run/http.err && return 0
        HTTP_ERROR=$(http_reason)
        : "${HTTP_ERROR:=the transfer failed}"
        case $HTTP_ERROR in
            # The server has decided; asking again does not change its mind.
            "HTTP 408"* | "HTTP 429"*) ;;
            "HTTP 4"*) return 1 ;;
        esac
        [ $attempt -ge $HTTP_TRIES ] && return 1
        say "attempt $attempt of $HTTP_TRIES failed ($HTTP_ERROR), again in $((1 << attempt)) seconds"
        sleep $((1 << attempt))
        attempt=$((attempt + 1))
    done
}

# post NAME TEXT: callback with retries; a callback that cannot be delivered never stops the installation. The end is
# tried for minutes: where it is lost, the machine is installed again.
post() {
    printf '%s\n' "$2" > /run/post.body
    post_file "$1" /run/post.body
}

# post_file NAME FILE: the same with the last 60 kB of a file.
post_file() {
    [ -n "$CALLBACK_URL" ] || return 0
    tail -c 60000 "$2" > /run/post.out
    attempt=1 attempts=4
    [ "$1" != finished ] || attempts=8
    while ! timeout 15 wget -q -O /dev/null --post-file /run/post.out "$CALLBACK_URL/$1" 2> /run/http.err; do
        if [ $attempt -ge $attempts ]; then
            say "callback $1 could not be delivered: $(http_reason)"
            return 1
        fi
        sleep $((1 << attempt))
        attempt=$((attempt + 1))
    done
}

# post_once NAME TEXT: one attempt, for news that is old in a few seconds.
post_once() {
    [ -n "$CALLBACK_URL" ] || return 0
    timeout 5 wget -q -O /dev/null --post-data "$2" "$CALLBACK_URL/$1" 2> /run/http.err
}
