# Takes the whole project down, with its volumes. There is no way back but the dump.
change_remove() { old_compose down --volumes --timeout 60; }
undo_remove() { [ -n "$(docker volume ls -q --filter "label=com.docker.compose.project=$project")" ] || fail "the volumes are gone; the dump is $here/backup/database.dump"; }
