# Puts the new files in place.
new_paths() { (cd "$here/new" && find . -type f | sed 's|^\./||' | sort); }
change_files() {
    new_paths >"$here/new.paths"
    while IFS= read -r path; do
        # A container goes on seeing the file that it was started with, so one that is the same stays the same file.
        if cmp -s "$here/new/$path" "$directory/$path"; then
            chmod 600 "$directory/$path"
        else
            mkdir -p "$directory/$(dirname "$path")"
            put_whole "$here/new/$path" "$directory/$path" 600
        fi
    done <"$here/new.paths"
    (cd "$directory" && tr '\n' '\0' <"$here/new.paths" | xargs -0 sha256sum) >"$here/manifest"
}
undo_files() {
    while IFS="$tab" read -r mode path; do
        if [ "$mode" = absent ]; then
            [ ! -e "$here/new/$path" ] || rm -f "$directory/$path"
        elif cmp -s "$here/backup/files/$path" "$directory/$path"; then
            chmod "$mode" "$directory/$path"
        else
            put_whole "$here/backup/files/$path" "$directory/$path" "$mode"
        fi
    done <"$here/backup/modes"
    rm -f "$directory"/.lago-acceptance.??????
}
