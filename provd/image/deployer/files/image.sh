# The image: chunks over HTTP onto the disk. A chunk is written only after its hash was right; a broken transfer costs
# one chunk, not the image.

MANIFEST=/run/manifest
RAW_SIZE= CHUNK_SIZE= COMPRESSION=
CHUNK_TRIES=4

fetch_manifest() {
    fetch "$IMAGE_URL/manifest" "$MANIFEST" || die "the image manifest was not served: $HTTP_ERROR"
    read -r magic version < "$MANIFEST"
    [ "$magic $version" = "provd-image 1" ] || die "what IMAGE_URL serves is not an image manifest of version 1"
    CHUNKS=$(sed -n 's/^end //p' "$MANIFEST")
    [ -n "$CHUNKS" ] || die "the image manifest is cut short"
    RAW_SIZE=$(sed -n 's/^raw-size //p' "$MANIFEST")
    CHUNK_SIZE=$(sed -n 's/^chunk-size //p' "$MANIFEST")
    COMPRESSION=$(sed -n 's/^compression //p' "$MANIFEST")
    case $COMPRESSION in zstd | gzip) ;; *) die "the image is compressed with $COMPRESSION, which this deployer cannot read" ;; esac
    [ $((CHUNK_SIZE % 1048576)) -eq 0 ] || die "the image's chunk size is not a multiple of 1 MiB"
    firmware=bios
    [ -d /sys/firmware/efi ] && firmware=uefi
    supported=$(sed -n 's/^firmware //p' "$MANIFEST")
    case ,$supported, in
        *",$firmware,"*) ;;
        *) die "this machine booted by $firmware, the image boots by $supported only" ;;
    esac
    say "image $(sed -n 's/^name //p' "$MANIFEST"), $((RAW_SIZE / 1000000)) MB in $CHUNKS chunks"
}

write_image() {
    begun=$(seconds)
    shown=-10
    posted=0
    # Signatures that older software RAID keeps at the end of a disk would outlive the installation.
    disk=$(disk_size "${DISK#/dev/}")
    end=$((disk / 1048576 * 1048576 - 1048576))
    zero_range $end $((disk - end))
    # Read on descriptor 3: programs in the loop must not eat the list.
    while read -r word index offset length digest file <&3; do
        [ "$word" = chunk ] || continue
        if [ "$file" = zero ]; then
            zero_range "$offset" "$length"
        else
            write_chunk "$index" "$offset" "$length" "$digest" "$file"
        fi
        report_progress $((offset + length))
    done 3< "$MANIFEST"
    say "all chunks written and their hashes checked, $(($(seconds) - begun)) seconds"
    [ "$VERIFY" = disk ] && verify_disk
    return 0
}

# write_chunk INDEX OFFSET LENGTH SHA256 FILE
write_chunk() {
    try=1
    while :; do
        fetch "$IMAGE_URL/$5" /run/chunk.z || die "chunk $1 was not served: $HTTP_ERROR"
        decompress < /run/chunk.z > /run/chunk 2>/dev/null
        set -- "$1" "$2" "$3" "$4" "$5" "$(sha256sum < /run/chunk)"
        [ "${6%% *}" = "$4" ] && break
        [ $try -ge $CHUNK_TRIES ] && die "chunk $1 has another hash than the manifest says, $CHUNK_TRIES times"
        say "chunk $1 arrived damaged, fetched again"
        sleep $((1 << try))
        try=$((try + 1))
    done
    dd if=/run/chunk of="$DISK" bs=1048576 seek=$(($2 / 1048576)) conv=notrunc 2> /run/dd.err ||
        die "writing to $DISK failed at octet $2: $(tail -n 1 /run/dd.err)"
}

decompress() {
    case $COMPRESSION in
        zstd) zstd -d -c -q ;;
        gzip) gunzip -c ;;
    esac
}

# zero_range OFFSET LENGTH: the disk may hold an older system, so zeros are written, by the disk itself where it can.
zero_range() {
    blkdiscard -z -o "$1" -l "$2" "$DISK" 2>/dev/null && return
    head -c "$2" /dev/zero | dd of="$DISK" bs=1048576 seek=$(($1 / 1048576)) conv=notrunc 2> /run/dd.err ||
        die "writing to $DISK failed at octet $1: $(tail -n 1 /run/dd.err)"
}

# report_progress DONE: a console line every 5 percent, a callback at most every 2 seconds.
report_progress() {
    percent=$(($1 * 100 / RAW_SIZE))
    now=$(seconds)
    if [ $percent -ge $((shown + 5)) ] || [ $percent -eq 100 ]; then
        shown=$percent
        say "writing the image: $percent % ($(($1 / 1000000)) of $((RAW_SIZE / 1000000)) MB)"
    fi
    if [ "$now" -ge $((posted + 2)) ] || [ $percent -eq 100 ]; then
        posted=$now
        post_once progress "percent=$percent done=$1 total=$RAW_SIZE text=writing the image"
    fi
}

# Read every chunk back from the medium, not from the cache.
verify_disk() {
    say "reading the disk back"
    sync
    echo 3 > /proc/sys/vm/drop_caches
    while read -r word index offset length digest file <&3; do
        [ "$word" = chunk ] || continue
        found=$(dd if="$DISK" bs=1048576 skip=$((offset / 1048576)) count=$((length / 1048576 + 1)) 2>/dev/null |
            head -c "$length" | sha256sum)
        [ "${found%% *}" = "$digest" ] || die "$DISK does not give back what was written: chunk $index at octet $offset"
    done 3< "$MANIFEST"
    say "the disk holds what the manifest says"
}
