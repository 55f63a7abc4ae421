# Gets the images of the new version while the old one runs. Nothing has to be undone: images that nothing uses do no harm.
change_pull() { coming_compose pull --quiet --policy "$pull_policy" --ignore-buildable; }
undo_pull() { :; }
