# Writes down how far an upgrade over several stops has come, so that the next call goes on from there. Variables: walk_to, walk_from
# and walk_at are tags, walk_to is "" where the upgrade has arrived; walk_begun and walk_first are its beginning and the deploy
# that has its first dump, "" where that is this one or there is none yet.
change_mark() {
    mkdir -p "$here/backup"
    [ ! -e "$state/upgrade" ] || cp -p "$state/upgrade" "$here/backup/upgrade"
    if [ -z "$walk_to" ]; then
        rm -f "$state/upgrade"
        return 0
    fi
    own=
    [ ! -s "$here/backup/database.dump" ] || own=$deploy_id
    {
        printf 'to\t%s\n' "$walk_to"
        printf 'from\t%s\t%s\t%s\n' "$walk_from" "$walk_begun" "${walk_first:-$own}"
        printf 'at\t%s\t%s\n' "$walk_at" "$(date +%s)"
    } >"$here/upgrade"
    put_whole "$here/upgrade" "$state/upgrade" 600
}
undo_mark() { mark_as_in "$here/backup"; }
# Going back to a backup goes back on the way, too.
change_mark_back() { mark_as_in "$from_backup"; }
undo_mark_back() { mark_as_in "$here/backup"; }
# As it was when a backup was made.
mark_as_in() { # backup
    if [ -e "$1/upgrade" ]; then
        put_whole "$1/upgrade" "$state/upgrade" 600
    else
        rm -f "$state/upgrade"
    fi
}
