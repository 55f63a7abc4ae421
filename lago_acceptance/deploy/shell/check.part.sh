# What can be tried before anything changes: the new database password and the new RSA key.

# What the deploy leaves as it is, is part of the new version too.
ask_complete() {
    printf '%s\n' "$kept_files" | while IFS= read -r path; do
        [ -n "$path" ] && [ -f "$directory/$path" ] && [ ! -e "$here/new/$path" ] || continue
        mkdir -p "$here/new/$(dirname "$path")"
        cp "$directory/$path" "$here/new/$path"
    done
    coming_compose config --quiet
}
# Over the network, as Lago does: the image lets everybody in who comes by the socket or by loopback.
ask_password() {
    container=$(db_container)
    [ -n "$container" ] || return 0
    PGPASSWORD=$new_password docker exec -e PGPASSWORD "$container" sh -c '
        exec psql -X -q -A -t -h "$(hostname -i | cut -d " " -f 1)" -U "$1" -d "$2" -c "SELECT 1"' psql "$new_user" "$new_database"
}
# In the new image, with the new files, as Lago's Ruby gets it. Prints the digest of its public half.
ask_key() {
    coming_compose run --rm --no-deps -T --entrypoint ruby "$api_service" --disable-gems -ropenssl -rdigest -e '
        text = ENV["LAGO_RSA_PRIVATE_KEY"].to_s
        abort "LAGO_RSA_PRIVATE_KEY is empty" if text.empty?
        begin
            key = OpenSSL::PKey::RSA.new(text.unpack1("m"))
        rescue OpenSSL::PKey::PKeyError => error
            abort error.message.lines.first.strip
        end
        abort "it is a public key" unless key.private?
        puts "key #{Digest::SHA256.hexdigest(key.public_to_der)}"'
}

# How many of the API keys of before the API still accepts: two numbers.
ask_old_keys() {
    container=$(running_of "$api_service" | head -n 1)
    [ -n "$container" ] || fail "no API container runs"
    all=0 good=0
    while IFS= read -r key; do
        all=$((all + 1))
        status=$(printf 'header = "Authorization: Bearer %s"\n' "$key" | docker exec -i "$container" curl -s -o /dev/null --max-time 20 -w '%{http_code}' -K - \
            http://127.0.0.1:3000/api/v1/organizations) || :
        [ "$status" != 200 ] || good=$((good + 1))
    done <"$here/backup/api_keys"
    say "$all $good"
}
ask_kept_identity() { cat "$here/backup/identity"; }
# What the dump may need and what is free, in bytes.
ask_space() {
    printf 'SELECT pg_database_size(current_database());' | psql_in "$(db_container)" "$database"
    free_bytes "$here"
}
