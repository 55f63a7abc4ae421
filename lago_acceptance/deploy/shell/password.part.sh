# An administrator's password. It comes as a file and goes to Ruby by standard input.

# A line of Ruby: a constant with the content of a file, or a text, whatever is in it.
constant() { # name; the value by standard input
    printf '%s = "%s".unpack1("m").force_encoding("UTF-8")\n' "$1" "$(base64 | tr -d '\n')"
}
change_reset_password() {
    script=$(constant EMAIL <"$here/new/email" && constant PASSWORD <"$here/new/password" && say "$ruby_reset_password")
    rails "$script" >"$here/old_password" || {
        said=$(cat "$here/old_password")
        rm "$here/old_password"
        fail "$said"
    }
}
undo_reset_password() {
    [ -s "$here/old_password" ] || return 0
    IFS="$tab" read -r id old <"$here/old_password"
    rails "$(printf '%s' "$id" | constant ID && printf '%s' "$old" | constant DIGEST && say "$ruby_restore_password")"
    say "the old password is valid again"
}
# Whether somebody can log in with it. The answer holds a token, so it is not printed.
ask_login() {
    docker exec -i "$api_container" curl -s --max-time 20 -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:3000/graphql \
        <"$here/new/login" >"$here/new/answer" || fail "Lago does not answer to a login"
    grep -q '"token":"[^"]' "$here/new/answer" || fail "Lago refuses the new password"
}
