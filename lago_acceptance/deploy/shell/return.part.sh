# Goes back to an earlier backup: the names of its images, and its database where the schema has moved on since.
change_return() {
    container=$(db_container)
    if [ -s "$from_backup/database.dump" ]; then
        ! schema_differs "$from_backup/identity" "$container" || restore_dump "$container" "$from_backup" "returned_$deploy_tag"
    elif [ -s "$from_backup/schema" ] && schema_differs "$from_backup/schema" "$container"; then
        fail "that backup has no dump, and the database's schema has changed since: its image alone on it stops billing"
    fi
    name_images "$from_backup/images"
}
# Undoing `up` and `dump` returns to the images and data of before this rollback.
undo_return() { :; }
