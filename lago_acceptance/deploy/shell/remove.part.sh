# Takes the whole project down, with the volumes of its files.
change_remove() { old_compose down --volumes --timeout 60; }
# Undoing `dump` restores it into new volumes.
undo_remove() { :; }
# Volumes that earlier versions have left. Nobody knows whether the dump holds what is in them.
ask_left_volumes() { docker volume ls -q --filter "label=com.docker.compose.project=$project"; }
